// SPDX-License-Identifier: Apache-2.0

import { OPEN, Problem } from "/assets/sdk/src/index.js";
import { h } from "../lib/dom.js";
import { dayOf, save } from "../lib/save.js";
import { pick } from "./cards.js";
import { Drawer } from "./drawer.js";
import { Phone } from "./phone.js";
import { promptSheet } from "./prompt.js";
import { QuietTimes } from "./quiet.js";
import { askErase, askTopic, askVisit } from "./sheets.js";
import { Walker } from "./walker.js";

const PURPOSE = "assist";
/** How often the journal is read while somebody could look, and when a stop counts as late. */
const JOURNAL_MS = 5_000, SETTLE_MS = 100, SETTLE_TRIES = 7, LATE_MS = 2_000, NOTICE_MS = 7_000;

/**
 * One shopper with one phone in one store: the client, its face, and the drawer that stands in for
 * the location service.
 */
export class Visit {
  /**
   * @param {import("../lib/i18n.js").Words} words
   * @param {import("/assets/sdk/src/index.js").Client} client
   * @param {import("/assets/sdk/src/index.js").Fence} fence
   * @param {{id: string, name: string}} store
   * @param {import("./phone.js").StoreCard[]} cards
   * @param {import("./quiet.js").Quiet|null} quiet
   */
  constructor(words, client, fence, store, cards, quiet) {
    this.words = words;
    this.client = client;
    this.fence = fence;
    this.store = store;
    this.cards = cards;
    this.quiet = new QuietTimes(words, quiet);
    /** @type {Record<string, string>} */ this.ends = {};
    /** @type {import("./phone.js").Look[]} */ this.looks = [];
    /** @type {string|null} */ this.zone = null;
    this.notice = "";
    this.stopAt = 0;
    this.where = "out";
    /** the call that was read, or that is over */ this.heard = "";
    this.all = false;
    this.seen = this.open = this.wasLate = this.journalRead = false;
    /** @type {any} */ this.forgetNotice = 0;
    /** @type {Set<string>} */ this.arrivals = new Set();
    this.phone = new Phone({
      words, store: store.name, act: (what) => void this.#act(what), check: (jws) => client.check(jws), withdraw: () => void this.#act("stop"), download: () => this.#download(),
    });
    this.walker = new Walker(fence, (reading) => this.#reading(reading), () => this.drawer?.move(this.where));
    this.drawer = new Drawer({ words, walker: this.walker, lock: (locked) => this.#lock(locked) });
    this.el = h("div", { class: "stage" }, this.phone.el, this.drawer.el);
    client.onChange((view) => this.#changed(view));
    setInterval(() => this.#tick(), 500);
    setInterval(() => void this.#journal(), JOURNAL_MS);
    document.addEventListener("visibilitychange", () => this.#screen(!document.hidden));
    addEventListener("pagehide", () => client.pause("background"));
    void this.#journal();
    this.render();
  }

  render() {
    const now = this.client.clock.now();
    this.drawer?.invite(this.client.view.state === "LOCAL" && !this.walker.inside);
    this.phone.render({
      view: this.client.view, grants: this.client.grants.filter((g) => g.store === this.store.id), ends: this.ends, cards: pick(this.cards, this.words.lang, now), quiet: this.quiet, now, zone: this.zone,
      call: this.#call, all: this.all, looks: this.looks, notice: this.notice, late: this.late, locked: this.walker.locked, arrivals: this.arrivals,
    });
  }

  /** The desk that is ready, while it is. */
  get #call() {
    const { call } = this.client.view;
    return call && call.id !== this.heard ? call : null;
  }

  get late() { return this.client.view.stopQueued && performance.now() - this.stopAt > LATE_MS; }

  /** @param {import("./phone.js").View} view */
  #changed(view) {
    if (view.stopQueued && this.stopAt === 0) this.stopAt = performance.now();
    if (!view.stopQueued) this.stopAt = 0;
    if (!this.client.locating) this.zone = null; // location is off: this phone does not know it either
    if (!OPEN.has(view.state)) this.all = false;
    const seen = Boolean(view.seen);
    const open = OPEN.has(view.state);
    if (seen !== this.seen) void this.#journal();
    if (this.open && !open) void this.#settle();
    this.seen = seen;
    this.open = open;
    this.render();
  }

  #tick() {
    const call = this.#call;
    if (call?.until && call.until < this.client.clock.now()) this.heard = call.id;
    if (this.late !== this.wasLate || this.#call !== call) this.render();
    this.wasLate = this.late;
  }

  /** What a phone's location service would report. @param {import("/assets/sdk/src/types.js").Reading} reading */
  #reading(reading) {
    this.where = this.fence.judge(reading).where;
    // The card is picked here, on the phone: nothing is asked of anybody for it.
    const near = this.client.locating && this.where === "inside";
    this.zone = near ? this.fence.zoneAt(reading.lat, reading.lng, reading.level)?.id || null : null;
    if (this.client.locating) this.client.fix(reading);
    this.render();
  }

  /** @param {Parameters<import("./phone.js").PhoneContext["act"]>[0]} what */
  async #act(what) {
    const { client } = this;
    switch (what) {
      case "ask": await this.#ask(); break;
      case "start": case "still": this.#start(); break;
      case "stop": await this.#stop("store", { store: this.store.id }); break;
      case "stop_all": await this.#stop("all"); this.#toTop(); break;
      case "not_now": client.pause("user"); break;
      case "go_on": client.back(); break;
      case "ok": client.dismissEnd(); break;
      case "unlock": this.drawer.setLocked(false); break;
      case "call": await this.#help(); break;
      case "here": await this.#here(); break;
      case "erase": await this.#erase(); break;
      case "come": this.heard = client.view.call?.id ?? ""; break;
      case "all": this.all = true; break;
      case "forget_proof": await client.forgetProof(); this.#toTop(); break;
    }
    this.render();
  }

  #start() { this.client.begin(this.fence, [PURPOSE]); }

  /** Shows the notice, because the shopper asked to see it. */
  async #ask() {
    const { client, words, phone } = this;
    try {
      const prompt = await client.prompt({ store: this.store.id, purpose: PURPOSE, opened: true });
      this.ends = prompt.texts?.ends ?? {};
      if (!prompt.blocks?.length) {
        client.dismissPrompt();
        this.#say(words.t("prompt_quiet"));
        return;
      }
      const shownT = client.clock.now();
      const sheet = promptSheet(prompt, words, (choice) => void this.#decide(prompt, choice, shownT, sheet));
      phone.over.replaceChildren(sheet);
    } catch (e) {
      this.#say(this.#why(e));
    }
  }

  /**
   * @param {import("./prompt.js").Prompt} prompt @param {import("./prompt.js").Choice} choice @param {number} shownT @param {HTMLElement} sheet
   */
  async #decide(prompt, choice, shownT, sheet) {
    try {
      const decision = await this.client.decide(prompt, { choice, control: "button", shownT, store: this.store.id });
      if (decision.state === "given" || decision.state === "renewed") this.#start();
    } catch (e) {
      this.client.dismissPrompt();
      this.#say(this.#why(e));
    } finally {
      sheet.remove();
      this.#toTop();
      this.render();
    }
  }

  /** One tap. @param {"store"|"all"} scope @param {{store?: string}} [what] */
  async #stop(scope, what) {
    const { done } = await this.client.withdraw(scope, what);
    void done.then(() => this.#settle());
  }

  /** Everything that is kept, in a file. */
  async #download() {
    try {
      const all = await this.client.export();
      const file = `my-data-${dayOf(all.t)}.json`;
      save(file, "application/json", JSON.stringify(all, null, 2));
      void this.#journal(true); // it is in there now
      return this.words.t("export_done", { file });
    } catch (e) {
      return this.#why(e);
    }
  }

  /** Nothing is erased before it was said what that means; then it is as with a stop. */
  async #erase() {
    if (!(await askErase(this.phone.over, this.words))) return;
    const { done } = await this.client.erase();
    this.#toTop();
    void done.then(() => { this.arrivals.clear(); void this.#settle(); });
  }

  /** To where it is said what is going on. */
  #toTop() {
    const { indicator, now } = this.phone;
    indicator.el.tabIndex = -1;
    indicator.el.focus({ preventScroll: true });
    now.parentElement?.scrollTo(0, 0);
  }

  async #help() {
    if (!this.#open()) return;
    const answer = await askTopic(this.phone.over, this.words);
    if (answer && this.client.help(answer.topic, answer.showMe) === null) this.#say(this.words.t("need_session"));
  }

  async #here() {
    if (!this.#open()) return;
    const answer = await askVisit(this.phone.over, this.words);
    if (!answer) return;
    const id = this.client.checkin(answer.kind, answer.ref);
    if (id === null) this.#say(this.words.t("need_session"));
    else this.arrivals.add(id);
  }

  /** Whether staff can be called now; if nothing has been decided, the question comes first. */
  #open() {
    const { state } = this.client.view;
    if (state === "ENTERING" || state === "ACTIVE" || state === "SUSPENDED") return true;
    if (state === "OFF") void this.#ask();
    else this.#say(this.words.t("need_session"));
    return false;
  }

  /** @param {boolean} locked */
  #lock(locked) {
    this.#screen(!locked);
    this.render();
  }

  /** Location goes off with the screen, before anything else. @param {boolean} on */
  #screen(on) {
    const { client } = this;
    if (!on) client.pause("background");
    else if (!this.walker.locked && client.view.state === "PAUSED" && client.view.pausedBy === "background") client.back();
  }

  /** Reads who looked; when nothing is shared there is nothing new to read, unless it just ended. @param {boolean} [again] */
  async #journal(again = false) {
    if (document.hidden || (this.client.view.state === "OFF" && this.journalRead && !again)) return;
    try {
      this.looks = (await this.client.journal()).sort((/** @type {any} */ a, /** @type {any} */ b) => b.opened_t - a.opened_t);
      this.journalRead = true;
      this.render();
    } catch {
      // what was read last stays on the screen
    }
  }

  /** A look is closed in the journal a moment after the session that it was at: reads until none is open. */
  async #settle() {
    for (let n = 0; n < SETTLE_TRIES; n++) {
      await this.#journal(true);
      if (this.open || this.looks.every((l) => l.closed_t)) return;
      await new Promise((again) => { setTimeout(again, SETTLE_MS * 2 ** n); });
    }
  }

  /** @param {string} text */
  #say(text) {
    this.notice = text;
    clearTimeout(this.forgetNotice);
    this.forgetNotice = setTimeout(() => { this.notice = ""; this.render(); }, NOTICE_MS);
    this.render();
  }

  /** @param {unknown} e */
  #why(e) {
    const { words } = this;
    if (!(e instanceof Problem)) return words.t("o_offline");
    return words.has(`o_${e.code}`) ? words.t(`o_${e.code}`) : words.t("o_other", { why: e.title || e.code });
  }
}
