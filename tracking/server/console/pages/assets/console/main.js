// SPDX-License-Identifier: Apache-2.0

import { h } from "../lib/dom.js";
import { takeFragment } from "../lib/code.js";
import { Words, applyTheme, language } from "../lib/i18n.js";
import { Refusal, me, signIn } from "./api.js";
import { Screen } from "./screen.js";
import { STRINGS } from "./strings.js";

const fragment = takeFragment();
applyTheme();
const words = new Words(STRINGS, language());
words.apply();

/** @param {Node} el */
const put = (el) => document.body.replaceChildren(el);

/** @param {string} [message] */
function gate(message) {
  const field = h("input", { name: "code", autocomplete: "one-time-code", spellcheck: "false", autocapitalize: "off", data: { testid: "code" } });
  const form = h("form", { onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); void enter(field.value.trim()); } },
    h("label", {}, words.t("code"), field), h("button", { class: "primary", data: { testid: "sign-in" } }, words.t("sign_in")));
  put(h("main", { class: "gate" }, h("div", { class: "sheet" }, h("img", { src: "/assets/icon.svg", alt: "" }), h("h1", {}, words.t("sign_in_title")),
    message ? h("p", { class: "problem", role: "alert", data: { testid: "message" } }, message) : null, h("p", { class: "muted" }, words.t("sign_in_text")), form)));
}

/** @param {string} code */
async function enter(code) {
  try {
    await signIn(code);
    await open();
  } catch (e) {
    gate(words.t(e instanceof Refusal && e.status > 0 && e.status < 500 ? "bad_code" : "unreachable"));
  }
}

/** Opens the console for whoever is signed in. */
async function open() {
  const person = await me();
  if (!person) {
    gate();
    return;
  }
  const screen = new Screen(words, person, () => gate(words.t("signed_out")));
  if (!screen.ending) put(screen.el);
}

const code = fragment.get("code");
try {
  await (code ? enter(code) : open());
} catch {
  gate(words.t("unreachable"));
}
