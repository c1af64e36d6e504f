// SPDX-License-Identifier: Apache-2.0

import { attribute, data, h, place, show, text } from "../lib/dom.js";
import { countdown } from "../lib/i18n.js";
import { icon } from "../lib/icons.js";
import { KIND_SHAPES, shape, wordChip } from "../lib/word.js";

/**
 * @typedef {import("./board.js").Item} Item
 * @typedef {object} CardContext
 * @property {import("../lib/i18n.js").Words} words
 * @property {() => number} serverNow  Unix ms
 * @property {(ordinal: number) => string} levelName
 * @property {() => boolean} actions  whether anything can be done now
 * @property {() => boolean} live
 * @property {(id: string) => string} zoneName
 * @property {(item: Item) => {text: string, good: boolean}|null} said  what to say instead of the usual line: a lost claim, a refusal
 * @property {(item: Item) => boolean} busy
 * @property {(item: Item) => void} select
 * @property {(item: Item, action: string) => void} act
 * @property {(item: Item) => void} menu
 */

/** One alert in the list. Made once, updated in place, so that focus stays where it is. */
export class Card {
  /** @param {CardContext} context @param {Item} item */
  constructor(context, item) {
    this.context = context;
    this.item = item;
    const { words } = context;
    this.kind = h("span", { class: "kind" });
    this.age = h("span", { class: "age" });
    this.where = h("span", { class: "where" });
    this.note = h("span", { class: "note" });
    this.main = h("button", { class: "act", type: "button", onclick: (/** @type {Event} */ e) => this.#primary(e) });
    this.more = h("button", {
      class: "icon quiet", type: "button", data: { testid: "menu" }, aria: { label: words.t("more"), haspopup: "dialog" },
      onclick: (/** @type {Event} */ e) => { e.stopPropagation(); context.menu(this.item); },
    }, icon("more"));
    this.el = h("li", {
      class: "card", tabindex: -1, data: { testid: "card", key: item.key }, onclick: () => context.select(this.item), onfocus: () => context.select(this.item),
    }, h("span", { class: "head" }, this.kind, this.age), this.where, this.note, h("span", { class: "acts" }, this.main, this.more));
    this.placeKind = place(this.kind);
    this.placeNote = place(this.note);
    this.update(item, false);
  }

  /** @param {Item} item @param {boolean} selected */
  update(item, selected) {
    this.item = item;
    const state = this.state();
    data(this.el, "alert", item.id);
    data(this.el, "state", state);
    data(this.el, "presence", item.presence);
    data(this.el, "kind", item.kind);
    data(this.el, "selected", selected ? "1" : null);
    attribute(this.el, "tabindex", selected ? 0 : -1);
    this.#head(state);
    text(this.where, this.place());
    data(this.where, "dim", item.zone ? null : "1");
    this.#note(state);
    this.#buttons(state);
  }

  /** One line is enough for what is over. */
  fold() { data(this.el, "short", this.item.endedAt > 0 ? "1" : null); }

  /** What people see of the state. */
  state() {
    const { item, context } = this;
    if (item.endedAt > 0) return item.state;
    if (context.busy(item)) return "claiming";
    if (item.state === "claimed") return item.mine ? "mine" : "theirs";
    return item.state;
  }

  /** Where, in words. */
  place() {
    const { item, context: { words } } = this;
    if (item.endedAt > 0) return ended(words, item);
    if (item.presence === "hidden") return words.t("hidden");
    if (item.presence === "off") return words.t("off");
    if (!item.zone) return words.t("zone_unknown");
    return placeName(words, item.zone, this.context.levelName);
  }

  /** @param {string} state */
  #head(state) {
    const { item, context: { words } } = this;
    const topic = item.topic && words.has(`topic_${item.topic}`) ? words.t(`topic_${item.topic}`) : "";
    const parts = [words.t(item.kind), topic, item.rule, item.ref].filter(Boolean);
    this.placeKind([item.kind, parts, item.priority, item.quiet], () => [
      shape(KIND_SHAPES[item.kind] ?? "⬡"), h("span", { class: "label" }, parts.join(" · ")),
      item.priority ? h("b", { class: "priority", data: { priority: item.priority } }, words.t(`priority_${item.priority}`)) : null,
      item.quiet ? h("span", { class: "others", title: words.t("quiet") }, icon("muted"), h("span", { class: "spoken" }, words.t("quiet"))) : null,
    ]);
    const age = item.raisedT ? words.age(this.context.serverNow() - item.raisedT) : "";
    text(this.age, age && !this.context.live() ? `${age}, ${words.t("not_live")}` : age);
    void state;
  }

  /** @param {string} state */
  #note(state) {
    const { item, context: { words } } = this;
    const said = this.context.said(item);
    const line = said?.text ?? this.#line(state);
    const about = item.endedAt > 0 ? "" : this.#about();
    this.placeNote([item.word, line, said?.good, about, state, item.atDesk], () => [
      item.word ? wordChip(item.word) : null,
      line ? h("span", { class: said ? "said" : "line", data: { good: said?.good ? "1" : null } }, state === "escalated" && !said ? icon("escalate") : null, line) : null,
      about ? h("span", { class: "about" }, about) : null,
      item.atDesk ? h("span", { class: "near", data: { testid: "at-desk", at: item.atDesk } }, item.atDesk === "at" ? icon("tick") : null, words.t(`desk_${item.atDesk}`)) : null,
    ]);
  }

  /** What the order or the appointment was found to be, or where somebody was asked to come to. */
  #about() {
    const { item: { booking, kind, desk }, context: { words, zoneName } } = this;
    if (kind === "called" && desk) return words.t("called_to", { desk: zoneName(desk) });
    if (!booking) return "";
    const said = words.t(words.has(`booking_${booking.case}`) ? `booking_${booking.case}` : "booking_unknown", { t: booking.t ? words.time(booking.t) : "", store: booking.store ?? "" });
    return [said, booking.desk ? zoneName(booking.desk) : "", booking.proxy ? words.t("booking_proxy") : ""].filter(Boolean).join(" · ");
  }

  /** @param {string} state @returns {string} */
  #line(state) {
    const { item, context: { words, serverNow } } = this;
    switch (state) {
      case "theirs": return [words.t("has_it", { who: item.holder || words.t("someone") }), this.#left()].filter(Boolean).join(" · ");
      case "mine": return this.#left() || this.#returns() || words.t("you_have_it");
      case "snoozed": return words.t("snoozed_until", { t: words.time(item.dueT) });
      case "escalated": return words.t("escalated");
      case "raised": return item.dueT > serverNow() ? words.t("escalates_in", { t: countdown(item.dueT - serverNow()) }) : "";
      default: return "";
    }
  }

  /** How long a broken glass lasts yet. */
  #left() {
    const { item, context: { words, serverNow } } = this;
    return item.kind === "emergency" ? words.t("glass_left", { t: countdown(item.dueT - serverNow()) }) : "";
  }

  /** That it goes back to everybody soon, since nothing was done about it. */
  #returns() {
    const { item, context: { words, serverNow } } = this;
    const left = item.dueT - serverNow();
    return item.dueT && left < 60_000 ? words.t("returns_in", { t: countdown(left) }) : "";
  }

  /** @param {string} state */
  #buttons(state) {
    const { words, actions } = this.context;
    const over = this.item.endedAt > 0;
    const role = state === "mine" ? "resolve" : "claim";
    const emergency = this.item.kind === "emergency";
    show(this.main, !over && state !== "theirs");
    show(this.more, !over && (state !== "theirs" || !emergency)); // what a colleague has can be asked for in an emergency
    data(this.main, "testid", role);
    text(this.main, words.t(state === "claiming" ? "claiming" : emergency ? "glass_end" : role));
    this.main.classList.toggle("primary", role === "claim");
    // Not disabled: a disabled button would lose the focus that is on it.
    attribute(this.main, "aria-disabled", !actions() || state === "claiming" ? "true" : null);
    attribute(this.more, "aria-disabled", actions() ? null : "true");
  }

  /** @param {Event} e */
  #primary(e) {
    e.stopPropagation();
    this.context.select(this.item);
    if (this.main.getAttribute("aria-disabled")) return;
    this.context.act(this.item, this.state() === "mine" ? "resolve" : "claim");
  }
}

/**
 * "Shoes, ground floor", and whether that is only likely.
 * @param {import("../lib/i18n.js").Words} words @param {import("./board.js").Zone} zone @param {(ordinal: number) => string} levelName
 */
export function placeName(words, zone, levelName) {
  const level = zone.level === null || zone.level === undefined ? "" : `, ${levelName(zone.level) || words.t("level", { n: zone.level })}`;
  return `${zone.name}${zone.likely ? ` (${words.t("likely")})` : ""}${level}`;
}

/** Why an alert is over: "Left the store 14:03". @param {import("../lib/i18n.js").Words} words @param {Item} item */
export function ended(words, item) {
  const t = item.changedT ? words.time(item.changedT) : "";
  if (item.state !== "gone") return words.t(item.state, { t });
  const key = `gone_${item.reason}`;
  return words.t(words.has(key) ? key : "gone_other", { t });
}
