// SPDX-License-Identifier: Apache-2.0

import { h, place } from "../lib/dom.js";
import { wordChip } from "../lib/word.js";
import { Indicator, said } from "./indicator.js";
import { decisionCard, withdrawalCard } from "./receipt.js";
import { DataCard, erasureCard } from "./rights.js";

/**
 * @typedef {import("/assets/sdk/src/types.js").View} View
 * @typedef {import("./cards.js").StoreCard} StoreCard
 * @typedef {{kind: "view"|"export"|"disclosure"|"break_glass"|"webhook", opened_t: number, closed_t?: number, role: string, team: string, company: string, other?: boolean, reason?: string, count: number}} Look
 * @typedef {object} PhoneContext
 * @property {import("../lib/i18n.js").Words} words
 * @property {string} store  its name
 * @property {(what: "ask"|"start"|"still"|"stop"|"stop_all"|"not_now"|"go_on"|"ok"|"call"|"here"|"unlock"|"erase"|"forget_proof"|"come"|"all") => void} act
 * @property {(jws: string) => Promise<{verdict: string, kid?: string}>} check
 * @property {() => void} withdraw
 * @property {() => Promise<string>} download  everything that is kept, into a file; says what came of it
 *
 * @typedef {object} Shown  What the phone's screen is made of.
 * @property {View} view
 * @property {import("/assets/sdk/src/types.js").Grant[]} grants
 * @property {Record<string, string>} ends
 * @property {StoreCard[]} cards
 * @property {import("./quiet.js").QuietTimes} quiet
 * @property {number} now  by the store's clock, Unix ms
 * @property {View["call"]} call  the desk that is ready, until it was read or is over
 * @property {boolean} all  whether all cards were asked for
 * @property {string|null} zone  where the phone itself thinks it is
 * @property {Look[]} looks
 * @property {string} notice  something to say once
 * @property {boolean} late
 * @property {boolean} locked
 * @property {Set<string>} arrivals  requests that were check-ins
 */

export class Phone {
  /** @param {PhoneContext} context */
  constructor(context) {
    this.context = context;
    const { words, act } = context;
    this.indicator = new Indicator(words, act);
    this.now = h("div", { class: "slot" });
    this.requests = h("div", { class: "slot" });
    this.store = h("div", { class: "slot" });
    this.quiet = h("div", { class: "slot" });
    this.looked = h("div", { class: "slot" });
    this.receipts = h("div", { class: "slot" });
    this.data = new DataCard(context);
    this.over = h("div", { class: "over" });
    this.dark = h("div", { class: "dark" });
    this.call = h("button", { type: "button", class: "primary", data: { testid: "call-staff" }, onclick: () => act("call") }, words.t("call_staff"));
    this.el = h("div", { class: "phone" }, this.indicator.el,
      h("main", { class: "feed" }, h("h1", { class: "spoken" }, context.store), this.now, this.requests, this.store, this.quiet, this.looked, this.receipts, this.data.el),
      h("nav", { class: "foot" }, this.call, h("button", { type: "button", data: { testid: "here-for" }, onclick: () => act("here") }, words.t("here_for"))),
      this.over, this.dark);
    this.places = { now: place(this.now), requests: place(this.requests), store: place(this.store), quiet: place(this.quiet), looked: place(this.looked), receipts: place(this.receipts), dark: place(this.dark) };
  }

  /** @param {Shown} shown */
  render(shown) {
    const { view, grants, ends, cards, quiet, zone, looks, notice, late, locked, call, all } = shown;
    const { words, store } = this.context;
    this.indicator.set(said(view, words, store, ends));
    this.data.set(view);
    this.places.now([view.state, view.word, view.end, view.obstacle?.code, view.pausedBy, view.withdrawal?.id, view.stopQueued, view.stopRefused?.code, view.erasing, view.erasure?.id, late, notice], () => this.#now(shown));
    this.places.requests([view.help, call], () => this.#requests(shown));
    this.places.store([cards.map((c) => [c.title, c.lang]), zone, all], () => this.#cards(cards, zone, all));
    const day = quiet.day(shown.now);
    this.places.quiet([day], () => quiet.panel(day));
    this.places.looked([looks, view.seen], () => this.#looked(looks));
    this.places.receipts([grants.map((g) => g.recordId)], () => grants.slice(0, 1).map((g) => decisionCard(this.context, g)));
    this.places.dark([locked], () => (locked ? this.#dark() : []));
  }

  #dark() {
    const { words, act } = this.context;
    return [h("div", { class: "locked" }, h("p", {}, words.t("locked")), h("button", { type: "button", data: { testid: "unlock" }, onclick: () => act("unlock") }, words.t("unlock")))];
  }

  /** @param {string} title @param {string} text @param {import("../lib/dom.js").Child[]} rest */
  #panel(title, text, ...rest) {
    return h("section", { class: "panel" }, h("h2", {}, title), text ? h("p", { class: "muted" }, text) : null, ...rest);
  }

  /** @param {string} key @param {"ask"|"start"|"still"|"go_on"} act */
  #button(key, act) {
    return h("button", { type: "button", class: "primary", data: { testid: act === "ask" ? "begin" : act }, onclick: () => this.context.act(act) }, this.context.words.t(key));
  }

  /** The card of the moment. @param {Shown} shown @returns {import("../lib/dom.js").Child[]} */
  #now({ view, late, notice, grants }) {
    const { words, store } = this.context;
    /** @type {import("../lib/dom.js").Child[]} */
    const above = [notice ? h("p", { class: "problem", role: "alert", data: { testid: "notice" } }, notice) : null];
    if (view.erasing || view.erasure) above.push(erasureCard(this.context, view, late));
    if ((view.stopQueued && !view.erasing) || view.withdrawal) above.push(withdrawalCard(this.context, view, late));
    switch (view.state) {
      case "STOPPING": return above;
      case "OFF": case "ASKING":
        return [...above, this.#panel(words.t("off_title"), words.t("off_text"), this.#button("begin", "ask"))];
      case "READY":
        return [...above, grants.length ? this.#panel(words.t("ready_title"), words.t("ready_text", { store }), this.#button("start", "start"))
          : this.#panel(words.t("off_title"), words.t("off_text"), this.#button("begin", "ask"))];
      case "LOCAL": return [...above, view.obstacle ? this.#obstacle(view.obstacle) : this.#panel(words.t("ready_title"), words.t("ready_text", { store }), h("p", { class: "hint", data: { testid: "hint" } }, words.t("walk_hint")))];
      case "CONNECTING": case "ENTERING":
        return [...above, this.#panel(words.t("starting_title"), words.t("starting_text"), h("div", { class: "progress", aria: { hidden: true } }, h("i")), view.word ? h("div", { class: "after" }, wordChip(view.word)) : null)];
      case "ACTIVE": return [...above, this.#word(view.word ?? "")];
      case "SUSPENDED": return [...above, this.#panel(words.t("i_suspended"), words.t("suspended_text"))];
      case "BACKOFF": return [...above, this.#panel(words.t("i_reconnecting"), words.t("reconnecting_text"))];
      case "PAUSED":
        return [...above, this.#panel(words.t("i_paused"), words.t(view.pausedBy === "user" ? "paused_user_text" : "paused_text"), this.#button("go_on", "go_on"))];
      default: return [...above, this.#ended(view)];
    }
  }

  /** @param {string} word */
  #word(word) {
    const { words } = this.context;
    return h("section", { class: "panel wordy" }, h("p", { class: "small muted" }, words.t("word_title")), wordChip(word, "large"), h("p", { class: "small muted" }, words.t("word_text")));
  }

  /** @param {NonNullable<View["obstacle"]>} o */
  #obstacle(o) {
    const { words } = this.context;
    const key = `o_${o.code}`;
    const title = words.has(key) ? words.t(key) : words.t("o_other", { why: o.title || o.code });
    const panel = this.#panel(title, words.t(o.code === "nobody_on_duty" ? "o_nobody_text" : "o_text"));
    panel.dataset.testid = "obstacle";
    panel.dataset.code = o.code;
    return panel;
  }

  /** @param {View} view */
  #ended(view) {
    const { words } = this.context;
    const again = view.end?.restart === "decision" ? this.#button("begin", "ask") : this.#button("still", "still");
    return view.end && ["left_store", "phone_outside", "silent", "lost"].includes(view.end.reason)
      ? this.#panel(words.t("still_title"), words.t("still_text"), again)
      : this.#panel(words.t("w_title"), words.t("ended_text"), again);
  }

  /** @param {Shown} shown @returns {import("../lib/dom.js").Child[]} */
  #requests({ view, arrivals, call }) {
    const { words, act } = this.context;
    const rows = Object.entries(view.help).map(([id, state]) => h("p", { class: "request", data: { testid: "request", state } },
      words.t(arrivals.has(id) && state === "seen" ? "h_here" : `h_${state}`)));
    return [
      call ? h("section", { class: "panel callout", role: "alert", data: { testid: "called" } }, h("h2", {}, words.t("come")), h("p", { dir: "auto" }, call.text),
        h("div", { class: "with-button" }, h("span", { class: "small" }, call.until ? words.t("come_until", { t: words.time(call.until) }) : ""),
          h("button", { type: "button", data: { testid: "come-ok" }, onclick: () => act("come") }, words.t("ok")))) : null,
      rows.length ? h("section", { class: "panel", aria: { live: "polite" } }, h("h2", {}, words.t("request")), ...rows) : null,
    ];
  }

  /**
   * The phone picks; the server has handed over all of them. Who does not share where they are reads the same ones, as a list.
   * @param {StoreCard[]} cards @param {string|null} zone @param {boolean} all
   */
  #cards(cards, zone, all) {
    const { words, act } = this.context;
    if (cards.length === 0) return [];
    const here = cards.filter((c) => zone !== null && c.zone === zone);
    const some = here.length > 0 && !all;
    const list = some ? here : [...here, ...cards.filter((c) => !here.includes(c))];
    return [h("section", { class: "shelf" }, h("h2", {}, words.t("cards"), h("small", { class: "muted" }, here.length ? words.t("cards_here") : "")),
      h("ul", {}, ...list.map((c) => h("li", { class: here.includes(c) ? "panel near" : "panel", data: { testid: "context-card", zone: c.zone } }, this.#picture(c), h("h3", { dir: "auto", lang: c.lang }, c.title), h("p", { class: "small muted", dir: "auto", lang: c.lang }, c.text), this.#link(c)))),
      some && cards.length > here.length ? h("button", { type: "button", data: { testid: "all-cards" }, onclick: () => act("all") }, words.t("cards_all", { n: cards.length })) : null)];
  }

  /** A card's picture came with the card, so that nobody is asked for it. @param {StoreCard} c */
  #picture({ image, alt, lang }) {
    return image && /^data:image\/(png|jpeg);/.test(image) ? h("img", { src: image, alt: alt ?? "", lang, class: "picture" }) : null;
  }

  /** Where a card leads to is the retailer's own; nothing is asked of it before somebody goes there. @param {StoreCard} c */
  #link({ link, title }) {
    return link && /^https:\/\//.test(link) ? h("a", { href: link, rel: "noreferrer noopener", target: "_blank", class: "more", aria: { label: `${this.context.words.t("card_more")}: ${title}` } }, this.context.words.t("card_more")) : null;
  }

  /** @param {Look[]} looks */
  #looked(looks) {
    const { words } = this.context;
    const rows = looks.slice(0, 5).map((l) => h("li", { data: { kind: l.kind } }, h("span", {}, this.#read(l)), this.#more(l)));
    return [h("section", { class: "panel", data: { testid: "journal" } }, h("h2", {}, words.t("looked")),
      rows.length ? h("ul", { class: "looks" }, ...rows) : h("p", { class: "muted small" }, words.t("looked_none")))];
  }

  /** Who read, and when. @param {Look} l */
  #read(l) {
    const { words } = this.context;
    const t = words.time(l.opened_t);
    switch (l.kind) {
      case "break_glass": return words.t("read_glass", { t });
      case "disclosure": return words.t("read_disclosure", { who: l.company, t });
      case "export": return words.t("read_export", { t });
      case "webhook": return words.t("read_webhook", { who: l.company, t });
    }
    const team = l.team ? words.t("team", { team: l.team }) : words.has(l.role) ? words.t(l.role) : l.role || words.t("staff");
    return words.t("looked_row", { who: l.other ? words.t("read_other", { who: team, company: l.company }) : team, t });
  }

  /** What more there is to it. @param {Look} l */
  #more(l) {
    const { words } = this.context;
    if (l.kind !== "view") return l.reason ? h("small", { class: "muted", dir: "auto" }, l.reason) : null;
    return h("small", { class: "muted" }, l.closed_t ? words.t("looked_count", { n: l.count }) : words.t("looked_now"));
  }
}
