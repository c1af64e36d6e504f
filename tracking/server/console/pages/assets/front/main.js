// SPDX-License-Identifier: Apache-2.0

import { text } from "../lib/dom.js";
import { Words, applyTheme, language } from "../lib/i18n.js";
import { STRINGS } from "./strings.js";

/** The way in stands in the page as it is served, in English; here it is put into the reader's language. */
applyTheme();
const words = new Words(STRINGS, language());
words.apply();
for (const el of document.querySelectorAll("[data-word]")) {
  if (el instanceof HTMLElement && el.dataset.word) text(el, words.t(el.dataset.word));
}
