// SPDX-License-Identifier: Apache-2.0

import { attribute, data, h, text } from "../lib/dom.js";
import { LANGS, LANG_NAMES, chooseLanguage, chooseTheme, isDark } from "../lib/i18n.js";
import { icon } from "../lib/icons.js";

/**
 * The strip above everything: whose store, whether it is live, and the few switches.
 * @typedef {{words: import("../lib/i18n.js").Words, store: string, person: string, role: string, sound: import("./sound.js").Sound, help: () => void, signOut: () => void, lock: (() => void)|null}} HeaderContext
 */
export class Header {
  /** @param {HeaderContext} context */
  constructor(context) {
    this.context = context;
    const { words } = context;
    this.connection = h("span", { class: "connection", role: "status", data: { testid: "connection", state: "connecting" } }, h("i"), h("span", {}, words.t("connecting")));
    this.sound = this.#button("sound", "sound_off", () => void context.sound.toggle().then(() => this.#sound()));
    this.theme = this.#button("theme", "theme", () => { chooseTheme(isDark() ? "light" : "dark"); this.#theme(); });
    const language = h("select", { aria: { label: words.t("language") }, data: { testid: "language" }, onchange: () => chooseLanguage(/** @type {any} */ (language.value)) },
      ...LANGS.map((l) => h("option", { value: l, selected: l === words.lang }, LANG_NAMES[l])));
    const leave = this.#button("sign-out", "sign_out", context.signOut);
    leave.append(icon("leave"));
    const lock = context.lock ? this.#button("lock", "lock", context.lock) : null;
    lock?.append(icon("lock"));
    const keys = this.#button("keys", "keys", context.help);
    keys.append(icon("keys"));
    this.el = h("header", { class: "bar", data: { shared: lock ? "1" : null } },
      h("img", { src: "/assets/icon.svg", alt: "", width: 28, height: 28 }),
      h("h1", { data: { testid: "store" }, title: context.store }, context.store), this.connection, h("span", { class: "gap" }),
      this.sound, keys, this.theme, language,
      h("span", { class: "person", data: { testid: "person" } }, h("span", { class: "initial", aria: { hidden: true } }, [...context.person][0] ?? "·"), h("span", { class: "tag" }, context.person)), lock, leave);
    this.#sound();
    this.#theme();
  }

  /** @param {string} id @param {string} label @param {() => void} f */
  #button(id, label, f) {
    const name = this.context.words.t(label);
    return h("button", { type: "button", class: `icon quiet ${id}`, data: { testid: id }, aria: { label: name }, title: name, onclick: f });
  }

  #sound() {
    const on = this.context.sound.on;
    const name = this.context.words.t(on ? "sound_on" : "sound_off");
    this.sound.replaceChildren(icon(on ? "sound" : "muted"));
    attribute(this.sound, "aria-label", name);
    attribute(this.sound, "aria-pressed", String(on));
    attribute(this.sound, "title", name);
    data(this.sound, "on", on ? "1" : null);
  }

  #theme() { this.theme.replaceChildren(icon(isDark() ? "light" : "dark")); }

  /** @param {import("./line.js").Status} status */
  set(status) {
    data(this.connection, "state", status);
    text(/** @type {Element} */ (this.connection.lastElementChild), this.context.words.t(status === "signed_out" ? "lost" : status));
  }
}
