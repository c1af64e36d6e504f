// SPDX-License-Identifier: Apache-2.0

import { attribute, data, h, show, text } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { Floor } from "./floor.js";

const SPEEDS = [1, 4, 10];

/**
 * The drawer "Pretend location": where the phone's location service would be.
 * @typedef {{words: import("../lib/i18n.js").Words, walker: import("./walker.js").Walker, lock: (locked: boolean) => void}} DrawerContext
 */
export class Drawer {
  /** @param {DrawerContext} context */
  constructor(context) {
    this.context = context;
    const { words, walker } = context;
    this.floor = new Floor(walker, words);
    this.where = h("span", { class: "where-now", data: { testid: "where" } });
    this.speeds = h("div", { class: "segments", role: "group", aria: { label: words.t("speed") } }, ...SPEEDS.map((n) =>
      h("button", { type: "button", data: { testid: `speed-${n}`, speed: n }, onclick: () => { walker.speed = n; this.#buttons(); } }, `${n}×`)));
    this.levels = h("div", { class: "segments", role: "group", aria: { label: words.t("level") } }, ...walker.fence.levels.map((l) =>
      h("button", { type: "button", data: { level: l.ordinal }, title: l.name, onclick: () => { walker.level = l.ordinal; walker.path = []; this.#buttons(); } }, l.name)));
    show(this.levels, walker.fence.levels.length > 1);
    this.silence = this.#switch("silence", "silence", () => { walker.silent = !walker.silent; this.#buttons(); });
    this.lock = this.#switch("lock", "lock", () => this.setLocked(!walker.locked));
    this.handle = h("button", { type: "button", class: "handle quiet", data: { testid: "drawer" }, aria: { expanded: false }, onclick: () => this.#toggle() }, icon("map"), h("span", {}, words.t("pretend")), this.where);
    // Where the drawer is shut, the step that comes first is still one tap away.
    this.quick = h("button", { type: "button", class: "quick", data: { testid: "quick-walk" }, onclick: () => this.#quick() });
    this.inside = false;
    this.el = h("aside", { class: "drawer", aria: { label: words.t("pretend") } },
      h("div", { class: "grip" }, this.handle, this.quick),
      h("div", { class: "inner" },
        h("div", { class: "top" }, h("h2", {}, words.t("pretend")), h("p", { class: "small muted" }, words.t("pretend_text"))),
        this.levels, this.floor.el,
        h("div", { class: "pair" }, this.#walk("walk_in", "in", "walk-in", () => walker.walkIn()), this.#walk("walk_out", "out", "walk-out", () => walker.walkOut())),
        h("div", { class: "pair" }, this.speeds, h("button", { type: "button", data: { testid: "replay" }, onclick: () => walker.again() }, words.t("replay"))),
        this.silence, this.lock));
    this.#buttons();
  }

  /** @param {string} label @param {"in"|"out"} sign @param {string} testid @param {() => void} f */
  #walk(label, sign, testid, f) {
    return h("button", { type: "button", class: "big", data: { testid }, onclick: () => { f(); this.#buttons(); } }, icon(sign), this.context.words.t(label));
  }

  /** @param {"silence"|"lock"} key @param {string} testid @param {() => void} f */
  #switch(key, testid, f) {
    const { words } = this.context;
    return h("button", { type: "button", role: "switch", class: "switch", data: { testid }, aria: { checked: false }, onclick: f },
      icon(key), h("span", { class: "label" }, h("span", {}, words.t(key)), h("small", { class: "muted" }, words.t(`${key}_text`))), h("i", { class: "knob" }));
  }

  /** @param {boolean} locked */
  setLocked(locked) {
    this.context.walker.locked = locked;
    this.context.lock(locked);
    this.#buttons();
  }

  #quick() {
    const { walker } = this.context;
    if (this.inside) walker.walkOut();
    else walker.walkIn();
    this.#buttons();
  }

  /** Whether walking in is what comes next. @param {boolean} next */
  invite(next) { data(this.el, "next", next ? "1" : null); }

  #buttons() {
    const { walker, words } = this.context;
    for (const b of this.speeds.querySelectorAll("button")) attribute(b, "aria-pressed", String(Number(b.dataset.speed) === walker.speed));
    for (const b of this.levels.querySelectorAll("button")) attribute(b, "aria-pressed", String(Number(b.dataset.level) === walker.level));
    text(this.quick, words.t(this.inside ? "walk_out" : "walk_in"));
    attribute(this.silence, "aria-checked", String(walker.silent));
    attribute(this.lock, "aria-checked", String(walker.locked));
  }

  #toggle() {
    const open = this.el.dataset.open === undefined;
    data(this.el, "open", open ? "1" : null);
    attribute(this.handle, "aria-expanded", String(open));
  }

  /** @param {string} where as the client judged it */
  move(where) {
    this.floor.move();
    if (this.inside !== this.context.walker.inside) {
      this.inside = this.context.walker.inside;
      this.#buttons();
    }
    data(this.where, "where", where);
    text(this.where, this.context.words.t(where === "inside" ? "where_in" : where === "edge" ? "where_edge" : "where_out"));
    const shown = this.levels.querySelector('[aria-pressed="true"]');
    if (shown instanceof HTMLElement && shown.dataset.level !== String(this.context.walker.level)) this.#buttons();
  }
}
