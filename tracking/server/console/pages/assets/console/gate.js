// SPDX-License-Identifier: Apache-2.0

import { h } from "../lib/dom.js";
import { remember, remembered } from "../lib/i18n.js";
import { Refusal, choosePIN, device, lock, signIn, signOut, unlock } from "./api.js";

const SHARED_KEY = "doorstep-shared";

/** Whether several people use this device, as somebody has said on it. */
export const isShared = () => remembered(SHARED_KEY) === "1";

/** A PIN that the server would refuse: too short, too long, or what anybody would try first. @param {string} text */
function tooEasy(text) {
  if (/^\d*$/.test(text)) {
    const steps = new Set([...text].slice(1).map((d, i) => Number(d) - Number(text[i])));
    return text.length < 4 || text.length > 12 || (steps.size === 1 && Math.abs([...steps][0] ?? 2) < 2);
  }
  return [...text].length < 4 || [...text].length > 64;
}

/** What cannot be used any more needs no lock. @param {unknown} e */
function unlessLocked(e) {
  if (!(e instanceof Refusal) || e.status !== 401) throw e;
}

/**
 * @typedef {import("./api.js").Person} Person
 * @typedef {{words: import("../lib/i18n.js").Words, put: (el: Node) => void, open: () => Promise<void>}} GateContext
 */

/** What is on the page while no console is: the sign-in, the PIN that is to be chosen, and the lock of a device that several people use. */
export class Gate {
  /** @param {GateContext} context */
  constructor(context) {
    this.context = context;
    /** counts what was put on the page: an answer to what is not there any more changes nothing */ this.turn = 0;
  }

  /** @param {{id: string, title: string, text?: string, message?: string}} what @param {...(Node|null)} more @returns {number} its turn */
  #sheet({ id, title, text, message }, ...more) {
    const said = message ? h("p", { class: "problem", role: "alert", data: { testid: "message" } }, message) : null;
    this.context.put(h("main", { class: "gate", data: { testid: id } }, h("div", { class: "sheet" }, h("img", { src: "/assets/icon.svg", alt: "" }),
      h("h1", {}, title), said, text ? h("p", { class: "muted" }, text) : null, ...more)));
    return ++this.turn;
  }

  /** @param {string} id @param {string} label @param {() => unknown} f */
  #quiet(id, label, f) {
    return h("button", { type: "button", class: "quiet", data: { testid: id }, onclick: () => void f() }, this.context.words.t(label));
  }

  /** A field that hides what is typed, or what a badge reader types, and hands it over. @param {string} label @param {string} button @param {(text: string) => void} done */
  #secret(label, button, done) {
    const field = h("input", { type: "password", inputmode: "numeric", autocomplete: "off", maxlength: 64, autofocus: true, data: { testid: "pin" } });
    const form = h("form", { onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); if (field.value) done(field.value); } },
      h("label", {}, label, field), h("button", { class: "primary", data: { testid: "pin-done" } }, button));
    queueMicrotask(() => field.focus());
    return form;
  }

  /** Asks for a one-time code. @param {string} [message] @param {boolean} [others]  whether somebody else is signed in on this device */
  signIn(message, others = false) {
    const { words } = this.context;
    const field = h("input", { name: "code", autocomplete: "one-time-code", spellcheck: "false", autocapitalize: "off", data: { testid: "code" } });
    const box = h("input", { type: "checkbox", data: { testid: "shared" }, aria: { describedby: "shared-text" }, onchange: () => remember(SHARED_KEY, box.checked ? "1" : "0") });
    box.checked = isShared();
    const form = h("form", { onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); void this.enter(field.value.trim()); } },
      h("label", {}, words.t("code"), field), h("label", { class: "check" }, box, words.t("shared")), h("p", { class: "muted", id: "shared-text" }, words.t("shared_text")),
      h("button", { class: "primary", data: { testid: "sign-in" } }, words.t("sign_in")));
    this.#sheet({ id: "gate", title: words.t("sign_in_title"), text: words.t("sign_in_text"), message }, form,
      others ? this.#quiet("back", "back", () => this.locked()) : null);
  }

  /** @param {string} code */
  async enter(code) {
    const { words, open } = this.context;
    try {
      await signIn(code, isShared());
      await open();
    } catch (e) {
      this.signIn(words.t(e instanceof Refusal && e.status > 0 && e.status < 500 ? "bad_code" : "unreachable"));
    }
  }

  /** Has somebody choose what they are known by on this device, typed twice. @param {string} [message] @param {string} [first] */
  choose(message, first = "") {
    const { words, open } = this.context;
    const form = this.#secret(words.t(first ? "pin_again" : "pin_field"), words.t(first ? "pin_set" : "pin_next"), (text) => {
      if (tooEasy(text)) this.choose(words.t("bad_pin"));
      else if (!first) this.choose(undefined, text);
      else if (text !== first) this.choose(words.t("pin_differs"));
      else void choosePIN(text).then(open).catch((e) => this.#unchosen(e));
    });
    this.#sheet({ id: "choose-pin", title: words.t("pin_title"), text: words.t("pin_text"), message }, form,
      this.#quiet("sign-out", "sign_out", () => void signOut().catch(() => {}).then(() => this.locked({ none: words.t("signed_out") }))));
  }

  /** @param {unknown} e */
  #unchosen(e) {
    const { words, open } = this.context;
    if (e instanceof Refusal && e.status === 401) void open().catch(() => this.signIn(words.t("unreachable")));
    else this.choose(words.t(e instanceof Refusal && e.status > 0 && e.status < 500 ? "bad_pin" : "unreachable"));
  }

  /**
   * Nothing but who can go on; where nobody can, the sign-in.
   * @param {{said?: string, none?: string, first?: boolean}} [how]  what is said, what is where nobody is left, and whether the server is to lock it first
   */
  async locked(how = {}) {
    const { words } = this.context;
    const turn = this.#sheet({ id: "locked", title: words.t("locked_title") });
    /** @type {Person[]|null} */ let people = null;
    try {
      if (how.first) await lock().catch(unlessLocked);
      people = (await device()).people;
    } catch (e) {
      if (e instanceof Refusal && e.status === 401) people = [];
    }
    if (turn !== this.turn) return;
    if (!people) this.#sheet({ id: "locked", title: words.t("locked_title"), message: words.t("unreachable") }, this.#quiet("again", "again", () => this.locked(how)));
    else if (people.length === 0) this.signIn(how.said ?? how.none);
    else this.#who(people, how.said);
  }

  /** @param {Person[]} people @param {string} [message] */
  #who(people, message) {
    const { words } = this.context;
    const list = people.map((p) => h("li", {}, h("button", { type: "button", data: { testid: "who" }, onclick: () => this.#ask(p, people) },
      h("span", { class: "initial", aria: { hidden: true } }, [...p.tag][0] ?? "·"), h("span", { class: "tag" }, p.tag))));
    this.#sheet({ id: "locked", title: words.t("locked_title"), text: words.t("locked_text"), message }, h("ul", { class: "people", role: "list" }, ...list),
      this.#quiet("someone", "someone_else", () => this.signIn(undefined, true)));
    list[0]?.querySelector("button")?.focus();
  }

  /** @param {Person} person @param {Person[]} people @param {string} [message] */
  #ask(person, people, message) {
    const { words, open } = this.context;
    const form = this.#secret(words.t("pin_of", { who: person.tag }), words.t("unlock"), (text) => {
      void unlock(person.person, text).then(open).catch((e) => this.#refused(e, person, people));
    });
    this.#sheet({ id: "locked", title: words.t("locked_title"), message }, form, this.#quiet("back", "back", () => this.#who(people)));
  }

  /** @param {unknown} e @param {Person} person @param {Person[]} people */
  #refused(e, person, people) {
    const { words } = this.context;
    const { status, code, body } = e instanceof Refusal ? e : new Refusal(0, {});
    if (code === "wrong_pin") this.#ask(person, people, words.t("wrong_pin", { n: Number(body.left) }));
    else if (status === 401) void this.locked({ said: words.t("too_many_pins") });
    else this.#ask(person, people, words.t("unreachable"));
  }
}
