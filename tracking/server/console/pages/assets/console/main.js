// SPDX-License-Identifier: Apache-2.0

import { takeFragment } from "../lib/code.js";
import { Words, applyTheme, language } from "../lib/i18n.js";
import { me } from "./api.js";
import { Gate, isShared } from "./gate.js";
import { Screen } from "./screen.js";
import { STRINGS } from "./strings.js";

const fragment = takeFragment();
applyTheme();
const words = new Words(STRINGS, language());
words.apply();

/** @param {Node} el */
const put = (el) => document.body.replaceChildren(el);
const gate = new Gate({ words, put, open });

/** Opens the console for whoever is signed in, or what stands before it. */
async function open() {
  const now = await me();
  if (now === "pin_due") gate.choose();
  else if (now === "locked" || (now === "session" && isShared())) void gate.locked();
  else if (now === "session") gate.signIn();
  else {
    const none = words.t("signed_out");
    const screen = new Screen(words, now, (lock) => (now.lock_ms ? void gate.locked({ none, first: lock }) : gate.signIn(none)));
    if (!screen.ending) put(screen.el);
  }
}

const code = fragment.get("code");
try {
  await (code ? gate.enter(code) : open());
} catch {
  gate.signIn(words.t("unreachable"));
}
