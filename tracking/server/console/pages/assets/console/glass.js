// SPDX-License-Identifier: Apache-2.0

import { data, h, show, text } from "../lib/dom.js";
import { countdown } from "../lib/i18n.js";
import { Refusal, approveGlass, askGlass, glasses } from "./api.js";
import { ask } from "./dialogs.js";

/** How often it is asked who waits, by whoever may approve or waits; and how long the word of a refusal stays. */
const POLL_MS = 3_000, SAID_MS = 8_000;
const REASON_LEAST = 10, REASON_MOST = 280;
/** Who may approve; the server decides, this only saves the others a question that they cannot answer. */
const IN_CHARGE = ["lead", "admin"];

/**
 * @typedef {{id: string, alert: string, reason: string, by: string, mine: boolean, until_t: number}} Asked
 * @typedef {object} GlassContext
 * @property {import("../lib/i18n.js").Words} words
 * @property {string} role
 * @property {() => number} serverNow  Unix ms
 * @property {() => boolean} live
 * @property {(alert: string) => string} what  an alert of this console in words; empty if there is none
 * @property {(said: string) => void} say  at once
 * @property {() => void} sound
 * @property {(refusal: Refusal) => string} why  a refusal in words
 */

/**
 * Breaking the glass, as both consoles show it: one person asks and says why; somebody in charge reads it and approves, or
 * lets it lapse. What comes of it is an alert like any other, on its asker's list.
 */
export class Glass {
  /** @param {GlassContext} context */
  constructor(context) {
    this.context = context;
    this.rows = h("ul", { class: "rows", role: "list" });
    this.el = h("section", { class: "glass", hidden: true, aria: { label: context.words.t("glass") }, data: { testid: "glass" } }, this.rows);
    /** @type {Map<string, Row>} by id */ this.asked = new Map();
    this.asking = this.known = false;
    this.polling = setInterval(() => void this.poll(), POLL_MS);
  }

  get inCharge() { return IN_CHARGE.includes(this.context.role); }

  close() { clearInterval(this.polling); }

  /** Asks who waits. Whoever neither may approve nor waits asks once, since they may have waited before a reload. */
  async poll() {
    const { live } = this.context;
    if (this.asking || document.hidden || !live() || (this.known && !this.inCharge && this.asked.size === 0)) return;
    this.asking = true;
    try {
      this.#set((await glasses()).asked);
    } catch {
      // what was read last stays, and counts down
    } finally {
      this.asking = false;
    }
  }

  /** @param {Asked[]} list */
  #set(list) {
    const { words, say, sound, serverNow } = this.context;
    this.known = true;
    const there = new Map(list.filter((a) => (a.mine || this.inCharge) && a.until_t > serverNow()).map((a) => [a.id, a]));
    for (const [id, row] of this.asked) if (!there.has(id)) this.#drop(id, row);
    for (const [id, asked] of there) {
      if (this.asked.has(id)) continue;
      const row = new Row(this.context, asked, () => void this.#decide(asked));
      this.asked.set(id, row);
      this.rows.append(row.el);
      if (asked.mine) continue;
      say(words.t("glass_say", { who: asked.by, why: asked.reason }));
      sound();
    }
    show(this.el, this.asked.size > 0);
    this.tick();
  }

  /** @param {string} id @param {Row} row */
  #drop(id, row) {
    const { words, say, serverNow } = this.context;
    this.asked.delete(id);
    row.el.remove();
    show(this.el, this.asked.size > 0);
    if (row.asked.mine && row.asked.until_t <= serverNow()) say(words.t("glass_lapsed"));
  }

  /** Draws the time that is left, and what has run out no more. */
  tick() {
    const now = this.context.serverNow();
    for (const [id, row] of this.asked) {
      if (row.asked.until_t <= now) this.#drop(id, row);
      else row.tick(row.asked.until_t - now);
    }
  }

  /** Asks for a reason and sends it. Nothing is shown to anybody before somebody else approves. @param {string} alert */
  async ask(alert) {
    const { words, say, why } = this.context;
    const reason = await askReason(words, this.context.what(alert));
    if (reason === null) return null;
    const request = { id: crypto.randomUUID(), alert, reason };
    try {
      await askGlass(request).catch((e) => { // whether it came is not known: the same id makes it one request
        if (e instanceof Refusal && e.status === 0) return askGlass(request);
        throw e;
      });
      this.#set((await glasses()).asked);
      say(words.t("glass_asked"));
      return null;
    } catch (e) {
      return why(e instanceof Refusal ? e : new Refusal(0, {}));
    }
  }

  /** @param {Asked} asked */
  async #decide(asked) {
    const { words, what, why } = this.context;
    const approved = await ask({
      title: words.t("glass_decide", { who: asked.by }), cancel: words.t("glass_not_now"), answers: [{ label: words.t("glass_approve"), value: true, testid: "glass-approve" }],
      body: h("div", { class: "terms" }, h("blockquote", { dir: "auto" }, asked.reason),
        h("p", {}, what(asked.alert) || words.t("glass_whom")), h("p", { class: "muted" }, words.t("glass_means", { who: asked.by }))),
    });
    if (!approved) return;
    try {
      await approveGlass(asked.id);
      const row = this.asked.get(asked.id);
      if (row) this.#drop(asked.id, row);
    } catch (e) {
      this.asked.get(asked.id)?.refused(why(e instanceof Refusal ? e : new Refusal(0, {})));
      void this.poll();
    }
  }
}

/** One request: whose, why, how long it waits, and, for whoever may, the way to decide. */
class Row {
  /** @param {GlassContext} context @param {Asked} asked @param {() => void} decide */
  constructor({ words, say }, asked, decide) {
    this.asked = asked;
    this.say = say;
    this.left = h("span", { class: "left" });
    this.said = h("span", { class: "said", hidden: true });
    this.words = words;
    this.el = h("li", { data: { testid: asked.mine ? "glass-mine" : "glass-asked" } },
      h("span", { class: "what" }, h("b", {}, words.t(asked.mine ? "glass_mine" : "glass_theirs", { who: asked.by })), " ", h("q", { dir: "auto" }, asked.reason)),
      this.said, this.left, asked.mine ? null : h("button", { type: "button", data: { testid: "glass-decide" }, onclick: decide }, words.t("glass_open")));
  }

  /** @param {number} ms */
  tick(ms) { text(this.left, this.words.t("glass_waits", { t: countdown(ms) })); }

  /** @param {string} why */
  refused(why) {
    text(this.said, why);
    show(this.said, true);
    this.say(why);
    setTimeout(() => show(this.said, false), SAID_MS);
  }
}

/** @param {import("../lib/i18n.js").Words} words @param {string} what @returns {Promise<string|null>} */
async function askReason(words, what) {
  const problem = h("p", { class: "problem", role: "alert", id: "glass-problem", hidden: true });
  const field = h("textarea", { rows: 3, maxlength: REASON_MOST, data: { testid: "glass-reason" }, aria: { describedby: "glass-hint glass-problem" } });
  const reason = () => field.value.trim();
  const check = () => {
    const short = [...reason()].length < REASON_LEAST;
    text(problem, short ? words.t("glass_short", { n: REASON_LEAST }) : "");
    show(problem, short);
    data(field, "bad", short ? "1" : null);
    field.ariaInvalid = String(short);
    if (short) field.focus();
    return !short;
  };
  const asked = await ask({
    title: words.t("glass_title"), text: what, cancel: words.t("cancel"), answers: [{ label: words.t("glass_send"), value: true, testid: "glass-send", check }],
    body: h("div", { class: "terms" }, h("p", {}, words.t("glass_text")),
      h("label", { class: "field" }, words.t("glass_reason"), field), h("p", { class: "small muted", id: "glass-hint" }, words.t("glass_hint")), problem),
  });
  return asked ? reason() : null;
}
