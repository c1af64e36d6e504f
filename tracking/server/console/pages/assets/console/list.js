// SPDX-License-Identifier: Apache-2.0

import { attribute, data, h, show, text } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { Card } from "./card.js";

/**
 * @typedef {"open"|"mine"|"ended"} Tab
 * @typedef {import("./card.js").CardContext & {board: import("./board.js").Board, changed: () => void}} ListContext
 */

/** @type {readonly Tab[]} */
const TABS = ["open", "mine", "ended"];

/** The alerts, in three tabs. Nothing moves under the pointer or the focus: what is new waits at the end. */
export class List {
  /** @param {ListContext} context */
  constructor(context) {
    this.context = context;
    const { words } = context;
    /** @type {Tab} */ this.tab = "open";
    this.filter = "";
    /** @type {string|null} */ this.selected = null;
    /** @type {Map<string, Card>} */ this.cards = new Map();
    /** @type {string[]} */ this.order = [];
    this.pointed = false;
    this.tabs = new Map(TABS.map((tab) => [tab, this.#tab(tab)]));
    this.field = h("input", {
      type: "search", placeholder: words.t("filter"), aria: { label: words.t("filter") }, data: { testid: "filter" }, autocomplete: "off", spellcheck: "false",
      oninput: () => { this.filter = this.field.value.trim().toLowerCase(); this.filled = false; context.changed(); },
    });
    this.search = h("div", { class: "search", hidden: true }, this.field);
    this.find = h("button", {
      type: "button", class: "find icon quiet", data: { testid: "find" }, title: words.t("filter"), aria: { label: words.t("filter"), expanded: false }, onclick: () => this.openSearch(this.search.hidden),
    }, icon("find"));
    this.pill = h("button", { class: "pill primary", type: "button", hidden: true, data: { testid: "new" }, onclick: () => this.#toNew() });
    this.ul = h("ul", { class: "cards", role: "list", data: { testid: "cards" } });
    this.empty = h("div", { class: "empty", data: { testid: "empty" } }, h("h2"), h("p", { class: "muted" }));
    this.scroll = h("div", {
      class: "scroll", id: "alerts", role: "tabpanel", onpointerenter: () => { this.pointed = true; },
      onpointerleave: () => { this.pointed = false; context.changed(); }, onscroll: () => this.#count(),
    }, this.ul, this.empty);
    this.el = h("section", { class: "list", aria: { label: words.t("alerts") } },
      h("div", { class: "tabs" }, h("div", { class: "tablist", role: "tablist" }, ...this.tabs.values()), this.find), this.search, this.scroll, this.pill);
    /** @type {Set<string>} keys that came while the list was shown, until they are in sight */ this.unseen = new Set();
    this.filled = false;
  }

  /** @param {Tab} tab */
  #tab(tab) {
    return h("button", { type: "button", role: "tab", class: "quiet", data: { testid: `tab-${tab}` }, aria: { controls: "alerts" }, onclick: () => this.choose(tab) },
      h("span", {}, this.context.words.t(tab)), h("span", { class: "count" }));
  }

  /** @param {Tab} tab */
  choose(tab) {
    this.tab = tab;
    this.order = [];
    this.filled = false;
    this.unseen.clear();
    this.context.changed();
  }

  /** Shows the filter, or puts it away and with it what it hid. @param {boolean} open */
  openSearch(open) {
    show(this.search, open);
    attribute(this.find, "aria-expanded", String(open));
    if (open) this.field.focus();
    else if (this.filter) {
      this.field.value = this.filter = "";
      this.filled = false;
      this.context.changed();
    }
  }

  /** Whether the order must stay as it is. */
  get held() { return this.pointed || this.ul.contains(document.activeElement); }

  /** @param {number} now monotonic */
  render(now) {
    const { board } = this.context;
    const items = board.tab(this.tab, now).filter((i) => this.#matches(i));
    for (const [tab, el] of this.tabs) {
      attribute(el, "aria-selected", String(tab === this.tab));
      const n = board.tab(tab, now).filter((i) => tab === "ended" || i.endedAt === 0).length;
      text(/** @type {Element} */ (el.lastElementChild), n ? this.context.words.number.format(n) : "");
    }
    this.#arrange(items);
    const byKey = new Map(items.map((i) => [i.key, i]));
    if (this.selected && !byKey.has(this.selected)) this.selected = null;
    const tabStop = this.selected ?? this.order[0];
    for (const key of this.order) {
      const item = /** @type {import("./board.js").Item} */ (byKey.get(key));
      const card = /** @type {Card} */ (this.cards.get(key));
      card.update(item, key === this.selected);
      if (!this.held) card.fold(); // it makes room for the others, and never under the pointer
      if (key === tabStop) attribute(card.el, "tabindex", 0);
    }
    this.#emptiness(items.length);
    this.#count();
  }

  /** @param {import("./board.js").Item[]} items */
  #arrange(items) {
    const wanted = items.map((i) => i.key);
    const there = new Set(wanted);
    const kept = this.order.filter((k) => there.has(k));
    const known = new Set(this.order);
    const added = wanted.filter((k) => !known.has(k));
    const order = this.held ? [...kept, ...added] : wanted;
    if (this.filled) for (const k of added) this.unseen.add(k);
    this.filled = !this.context.board.fresh;
    for (const [key, card] of this.cards) if (!there.has(key)) this.#remove(key, card);
    for (const item of items) if (!this.cards.has(item.key)) this.cards.set(item.key, new Card(this.context, item));
    order.forEach((key, i) => {
      const el = /** @type {Card} */ (this.cards.get(key)).el;
      if (this.ul.children[i] !== el) this.ul.insertBefore(el, this.ul.children[i] ?? null);
    });
    this.order = order;
  }

  /** Focus on a card that goes moves to its neighbour. @param {string} key @param {Card} card */
  #remove(key, card) {
    const next = card.el.nextElementSibling ?? card.el.previousElementSibling;
    const focused = card.el.contains(document.activeElement);
    card.el.remove();
    this.cards.delete(key);
    this.unseen.delete(key);
    if (!focused) return;
    if (next instanceof HTMLElement) next.focus();
    else this.tabs.get(this.tab)?.focus();
  }

  /** @param {import("./board.js").Item} item */
  #matches(item) {
    if (!this.filter) return true;
    const { words } = this.context;
    return `${words.t(item.kind)} ${item.zone?.name ?? ""} ${item.word} ${item.holder} ${item.topic} ${item.rule} ${item.ref}`.toLowerCase().includes(this.filter);
  }

  /** @param {number} n */
  #emptiness(n) {
    const { words } = this.context;
    show(this.empty, n === 0);
    show(this.ul, n > 0);
    const [title, more] = this.empty.children;
    text(/** @type {Element} */ (title), words.t(this.filter ? "none_filter" : `none_${this.tab}`));
    text(/** @type {Element} */ (more), this.filter ? "" : words.t(`none_${this.tab}_more`));
  }

  /** What is new and out of sight. */
  #count() {
    const bottom = this.unseen.size ? this.scroll.getBoundingClientRect().bottom : 0; // measuring makes the browser lay out
    for (const key of this.unseen) {
      if ((this.context.board.items.get(key)?.endedAt ?? 1) > 0) this.unseen.delete(key);
      const top = this.cards.get(key)?.el.getBoundingClientRect().top ?? 0;
      if (top < bottom - 40) this.unseen.delete(key);
    }
    show(this.pill, this.unseen.size > 0);
    text(this.pill, this.context.words.t("new", { n: this.unseen.size }));
  }

  #toNew() {
    const key = [...this.unseen][0];
    if (key) this.cards.get(key)?.el.scrollIntoView({ block: "center" });
    this.#count();
  }

  /** @param {string} key */
  select(key) {
    this.selected = key;
    data(this.el, "selected", key);
  }

  /** @param {number} step */
  move(step) {
    const i = this.selected ? this.order.indexOf(this.selected) : -1;
    const key = this.order[Math.min(this.order.length - 1, Math.max(0, i + step))];
    if (key) this.cards.get(key)?.el.focus();
  }
}
