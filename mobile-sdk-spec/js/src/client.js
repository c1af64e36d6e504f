// SPDX-License-Identifier: Apache-2.0

import { Api } from "./api.js";
import { Choice } from "./choice.js";
import { ServerClock, realEnv } from "./clock.js";
import { shownDigest } from "./encoding.js";
import { Fence } from "./fence.js";
import { InstallationKey } from "./key.js";
import { LOCATING, next } from "./machine.js";
import { Outbox } from "./outbox.js";
import { verifyReceipt } from "./receipt.js";
import { Session } from "./session.js";
import { Pocket } from "./pocket.js";
import { openStore } from "./storage.js";
import { sendWithdrawal } from "./withdrawals.js";

const GRANTS = "grants", PROOF = "erasure";

/**
 * @typedef {object} ClientConfig
 * @property {string} baseUrl  scheme and host of the deployment
 * @property {(fresh: boolean) => Promise<string>} token  the shopper's token, from the app's own backend
 * @property {string} [lang]  BCP 47
 * @property {string} [sdk]  name/version, told to the server
 * @property {import("./storage.js").Store} [store]
 * @property {typeof WebSocket} [WebSocket]
 * @property {typeof fetch} [fetch]
 * @property {import("./clock.js").Env} [env]
 * @property {import("./session.js").SessionOptions["limits"]} [limits]
 *
 * @typedef {(view: import("./types.js").View) => void} Listener
 */

/** @returns {import("./types.js").View} */
const blank = () => ({
  state: "OFF", store: null, purposes: [], among: [], pocket: false, word: null, seen: null, end: null, pausedBy: null, obstacle: null, help: {}, call: null,
  leaseUntil: 0, acceptedSeq: 0, refused: {}, withdrawal: null, stopQueued: false, stopRefused: null, erasing: false, erasure: null,
});

/**
 * The client: asks, remembers what was decided, opens a session when the phone is inside, and stops.
 * Everything it knows is in `view`; listeners are told after each change.
 */
export class Client {
  /** Makes a client, with the installation's key taken from the store or made. @param {ClientConfig} config */
  static async open(config) {
    const store = config.store ?? (await openStore());
    const key = await InstallationKey.load(store);
    const client = new Client(config, store, key);
    await client.#restore();
    return client;
  }

  /** @private @param {ClientConfig} config @param {import("./storage.js").Store} store @param {InstallationKey} key */
  constructor(config, store, key) {
    this.config = config;
    this.store = store;
    this.key = key;
    this.env = config.env ?? realEnv();
    this.clock = new ServerClock(this.env);
    this.api = new Api({
      baseUrl: config.baseUrl.replace(/\/$/, ""), token: config.token, key, clock: this.clock,
      fetch: config.fetch ?? ((...a) => globalThis.fetch(...a)),
    });
    this.withdrawals = new Outbox("withdrawals", sendWithdrawal(this.api), store, this.env,
      ({ code, title, remedy }) => this.#note({ stopRefused: { code, title, remedy } }));
    /** @type {Outbox<{t: number}, import("./types.js").Erasure>} */
    this.erasures = new Outbox("erasures", ({ id }) => this.#sendErasure(id), store, this.env);
    /** @type {ReturnType<Client["erase"]>|null} */ this.erasing = null;
    /** @type {import("./types.js").View} */ this.view = blank();
    /** @type {import("./types.js").Grant[]} */ this.grants = [];
    /** @type {Session|null} */ this.session = null;
    /** @type {Choice} */ this.choice = new Choice([]);
    /** @type {string[]|undefined} */ this.purposes = undefined;
    this.pocket = new Pocket(this.env);
    /** @type {Set<Listener>} */ this.listeners = new Set();
  }

  /** @param {Listener} listener @returns {() => void} stops listening */
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // ——— before anything is sent ———

  /** @returns {Promise<{id: string, name: string, fence: string, bbox: number[]}[]>} */
  async stores() { return (await this.api.stores()).stores; }

  /**
   * The fence, with the store's zones: its own, or else those of the whole map, which is fetched at once
   * and for all levels, so that the fetch tells nothing. Without zones a fence is as good a fence.
   * @param {string} store @param {string} version
   */
  async fence(store, version) {
    const json = await this.api.fence(store, version);
    if (json.zones) return new Fence(json);
    const map = await this.api.map(store, version).catch(() => ({ levels: [] }));
    const zones = map.levels.flatMap((/** @type {any} */ l) => l.zones.map((/** @type {any} */ z) => ({ ...z, level: l.ordinal })));
    return new Fence({ ...json, zones });
  }

  /** Measures the server's time, so that the first proof is in time. */
  async syncTime() { await this.api.time(); }

  /**
   * Asks the server for what to show. `opened`: the shopper asked to see it; that is no prompt.
   * @param {{store: string, purpose: string, jurisdiction?: string, opened?: boolean}} what
   */
  async prompt(what) {
    const prompt = await this.api.prompt({ ...what, lang: this.config.lang ?? "en" });
    if (prompt.may_prompt || what.opened) this.#step("notice", { store: what.store, end: null, withdrawal: null });
    return prompt;
  }

  /**
   * Sends the decision, with the digest of the strings that the views were handed.
   * @param {import("./types.js").Prompt} prompt
   * @param {{choice: import("./types.js").PromptChoice["choice"], control: "button"|"switch", shownT: number, store: string}} made
   * @param {{title: string, blocks: {title: string, text: string}[], choices: {label: string}[]}} [shown] what was shown, if not the prompt itself
   */
  async decide(prompt, made, shown = prompt) {
    const decision = await this.api.decide({
      served_id: prompt.served_id, hash: prompt.notice.hash, store: made.store, purpose: prompt.purpose,
      choice: made.choice, control: made.control, shown_t: made.shownT, decided_t: this.clock.now(), digest: await shownDigest(shown),
    });
    if (decision.state !== "given" && decision.state !== "renewed") {
      this.#step("declined");
      return decision;
    }
    const pocketMs = await this.#pocketMs(prompt.purpose);
    this.grants = this.grants.filter((g) => g.store !== made.store || g.purpose !== prompt.purpose);
    this.grants.push({
      store: made.store, purpose: prompt.purpose, recordId: decision.record_id, receipt: decision.receipt,
      stopToken: decision.stop_token ?? "", visitOnly: made.choice === "visit",
      ...(decision.expires_t ? { expiresT: decision.expires_t } : {}), ...(pocketMs ? { pocketMs } : {}),
    });
    await this.store.set(GRANTS, this.grants);
    this.#step("given", { store: made.store });
    return decision;
  }

  /** How long a purpose lets an app go on that is not on screen. If that cannot be known, it does not. @param {string} purpose */
  async #pocketMs(purpose) {
    const { purposes = [] } = await this.api.rules().catch(() => ({ purposes: [] }));
    return (purposes.find((p) => p.id === purpose)?.pocket_minutes ?? 0) * 60_000;
  }

  /** The prompt was put away without an answer. */
  dismissPrompt() { this.#step("declined"); }

  // ——— a session ———

  /**
   * The user is ready to be helped: watch the fence, in silence; or those of several stores, of which only those count that
   * the user has agreed for. Where these overlap, nothing begins until one is picked.
   * @param {Fence|Fence[]} fences @param {string[]} [purposes] all that were granted at the store, if left out
   */
  begin(fences, purposes) {
    const agreed = Array.isArray(fences) ? fences.filter((f) => this.grants.some((g) => g.store === f.store)) : [fences];
    const store = agreed.length === 1 && agreed[0] ? agreed[0].store : null;
    if (agreed.length === 0 || !this.#step("begin", { store, purposes: purposes ?? [], end: null, obstacle: null, help: this.#openHelp() })) return false;
    this.choice = new Choice(agreed);
    this.purposes = purposes;
    this.session = null;
    this.pocket.end();
    if (agreed.length === 1 && agreed[0]) this.#meant(agreed[0]);
    return true;
  }

  /** The user's choice among stores that overlap here. It stays on the phone. @param {string} store */
  pick(store) { this.choice.picked = store; }

  /** One store is meant from here on. @param {Fence} fence */
  #meant(fence) {
    const { WebSocket = globalThis.WebSocket, sdk = "js/1.0.0", lang = "en", limits } = this.config;
    const { store } = fence;
    const purposes = this.purposes ?? this.grants.filter((g) => g.store === store).map((g) => g.purpose);
    this.session = new Session({
      api: this.api, clock: this.clock, env: this.env, fence, store, purposes, WebSocket, sdk, lang, limits,
    }, {
      state: () => this.view.state,
      step: (step, patch) => {
        if (patch?.end?.restart === "decision") this.#forgetGrants(store);
        return this.#step(step, patch);
      },
      note: (patch) => this.#note(patch),
      view: () => this.view,
      withdrawn: (f) => this.withdrawals.confirm({ id: f.id, receipt: f.receipt, removed: f.removed, via: "socket" }),
    });
    this.#note({ store, purposes });
    this.#inPocket();
  }

  /** Finds the store that a reading is about, as long as nothing has begun. @param {import("./types.js").Reading} reading */
  #choose(reading) {
    const { fence, among } = this.choice.of(reading);
    if (String(among) !== String(this.view.among)) this.#note({ among });
    if (fence && fence.store === this.session?.options.store) return;
    this.session?.dispose();
    this.session = null;
    if (fence) this.#meant(fence);
    else if (this.view.store) this.#note({ store: null });
  }

  /** Whether the phone may read its location now. */
  get locating() { return LOCATING.has(this.view.state); }

  /** @param {import("./types.js").Reading} reading */
  fix(reading) {
    if (this.choice.fences.length > 1 && this.view.state === "LOCAL") this.#choose(reading);
    this.session?.fix(reading);
  }
  /** @param {string} topic @param {boolean} [showMe] */
  help(topic, showMe = false) { return this.session?.help(topic, showMe) ?? null; }
  /** @param {"pickup"|"appointment"} kind @param {string} ref */
  checkin(kind, ref) { return this.session?.checkin(kind, ref) ?? null; }
  /**
   * Location goes off. In the background a shopper who decided for that goes on in the pocket, for as long as they decided,
   * and is paused then (SPEC.md, D-7): the app shows the system's indicator while `view.pocket` is true.
   * @param {"user"|"background"|"permission"} reason
   */
  pause(reason) {
    const ms = reason === "background" && this.locating ? Pocket.most(this.#granted()) : 0;
    if (ms > 0) this.pocket.begin(ms, () => this.#pause(reason));
    else this.#pause(reason);
    this.#inPocket();
  }

  /** @param {"user"|"background"|"permission"} reason */
  #pause(reason) {
    if (this.session) this.session.pause(reason);
    else this.#step("pause", { pausedBy: reason });
  }

  /** On screen again, or the user wants to go on. */
  back() {
    this.pocket.end();
    this.#inPocket();
    if (this.session) this.session.back();
    else this.#step("back_late", { pausedBy: null });
  }

  /** What the user granted for the session that there is, or may be. */
  #granted() {
    const stores = this.session ? [this.session.options.store] : this.choice.fences.map((f) => f.store);
    return this.grants.filter((g) => stores.includes(g.store) && (this.purposes ?? [g.purpose]).includes(g.purpose));
  }

  /** Fixes and the view say whether the phone is in a pocket. Where location is off it is in none. */
  #inPocket() {
    if (!this.locating) this.pocket.end();
    const { on } = this.pocket;
    if (this.session) this.session.sender.appState = on ? "pocket" : "foreground";
    if (this.view.pocket !== on) this.#note({ pocket: on });
  }

  /** Ends the session, keeps the grant. */
  leave() {
    this.session?.bye();
    this.session = null;
    this.#step("cancel", { word: null, seen: null, leaseUntil: 0 });
  }

  /** Puts the reason of an end away. */
  dismissEnd() {
    const ungranted = this.view.end?.restart === "decision";
    this.#step(ungranted ? "ungranted" : "cancel");
    this.#note({ end: null, withdrawal: null });
  }

  // ——— the stop ———

  /**
   * Withdraws. When this returns, nothing more leaves this phone and the withdrawal is written down;
   * `done` resolves when the store has confirmed, however long that takes.
   * @param {import("./types.js").Scope} scope @param {{store?: string, purpose?: string}} [what]
   */
  async withdraw(scope, what = {}) {
    const tapped = this.env.mono();
    const t = this.clock.now();
    this.#halt();
    const phoneMs = this.env.mono() - tapped;
    const stopTokens = this.grants.filter((g) => covers(scope, what, g)).map((g) => g.stopToken).filter(Boolean);
    const earlier = [...this.withdrawals.running.keys()];
    const { id, done } = await this.withdrawals.begin({ scope, t, stopTokens, ...what });
    // The frame names no purpose (W-3).
    if (scope !== "grant" || this.view.purposes.length === 1) this.session?.link.send({ type: "withdraw", id, scope });
    const result = done.then(async (confirmed) => {
      if (scope === "all") this.withdrawals.settle(earlier);
      const result = { ...confirmed, phoneMs, storeMs: this.env.mono() - tapped };
      await this.#confirmed(scope, what, result);
      return result;
    });
    return { id, phoneMs, done: result };
  }

  /** @param {import("./types.js").Scope} scope @param {{store?: string, purpose?: string}} what @param {import("./types.js").WithdrawalResult|null} result */
  async #confirmed(scope, what, result) {
    this.session?.dispose();
    this.session = null;
    this.grants = this.grants.filter((g) => !covers(scope, what, g));
    await this.store.set(GRANTS, this.grants).catch(() => {});
    if (this.erasing) this.#note({ withdrawal: result }); // stopped, but not all of it is confirmed yet
    else this.#step("confirmed", { stopQueued: false, stopRefused: null, withdrawal: result, end: this.#ended("withdrawn") });
  }

  /** Location goes off, before anything is written or sent. @param {Partial<import("./types.js").View>} [patch] */
  #halt(patch) {
    this.session?.halt();
    this.#step("withdraw", { ...patch, seen: null, word: null, obstacle: null, call: null, help: {}, stopQueued: true, stopRefused: null, withdrawal: null });
  }

  /** @param {string} reason @returns {import("./types.js").View["end"]} */
  #ended(reason) { return { reason, code: 4500, t: this.clock.now(), restart: "decision" }; }

  // ——— the shopper's rights ———

  /** Everything that the server keeps of the shopper, on all phones. It is in the journal, like any other read. */
  export() { return this.api.export(); }

  /**
   * Has everything erased, after ending everything. When this returns, nothing more leaves this phone and the wish is written
   * down; `done` resolves when the store has confirmed, with the signed proof, however long that takes. While one is under way
   * it is that one.
   * @returns {Promise<{id: string, done: Promise<import("./types.js").Erasure>}>}
   */
  erase() {
    this.erasing ??= this.#erase();
    return this.erasing;
  }

  async #erase() {
    this.#halt({ erasing: true });
    return this.#untilErased(await this.erasures.begin({ t: this.clock.now() }));
  }

  /** @param {{id: string, done: Promise<import("./types.js").Erasure>}} begun */
  #untilErased({ id, done }) { return { id, done: done.then((erasure) => this.#erased(erasure)) }; }

  /** The proof is kept before the wish is crossed out. @param {string} id */
  async #sendErasure(id) {
    const { proof } = await this.api.erase(id);
    await this.store.set(PROOF, { id, proof }).catch(() => {});
    return { id, proof };
  }

  /** What is left of the shopper on this phone is the proof. @param {import("./types.js").Erasure} erasure */
  async #erased(erasure) {
    this.erasing = null;
    this.session?.dispose();
    this.session = null;
    this.grants = [];
    await this.store.remove(GRANTS).catch(() => {});
    this.#step("confirmed", { ...blank(), erasure, end: this.#ended("erased") });
    return erasure;
  }

  /** The proof of the last erasure goes from this phone too: the shopper has saved it, or does not want it. */
  async forgetProof() {
    await this.store.remove(PROOF);
    this.#note({ erasure: null });
  }

  // ——— what the shopper may read ———

  /** All entries, newest first. */
  async journal() {
    const all = [];
    for (let after = ""; ;) {
      const page = await this.api.journal(after);
      all.push(...(page.entries ?? []));
      if (!page.next) return all;
      after = page.next;
    }
  }
  /** @param {string} store */
  me(store) { return this.api.me(store); }
  /** All context cards of a store. Pick by zone, `lang` and `times` (SPEC.md, A-7). @param {string} store */
  async cards(store) { return (await this.api.cards(store)).cards ?? []; }
  /** When each zone of a store is usually quiet. @param {string} store @returns {Promise<{time_zone: string, zones: {id: string, name: string, level: number, quiet: {day: string, from: string, until: string}[]}[]}>} */
  quiet(store) { return this.api.quiet(store); }
  /** @param {string} jws */
  async check(jws) { return verifyReceipt(jws, await this.api.jwks()); }

  /** Lets go of everything in this run. Withdrawals on their way stay written down. */
  close() {
    this.pocket.end();
    this.session?.dispose();
    this.withdrawals.close();
    this.erasures.close();
    this.listeners.clear();
  }

  async #restore() {
    this.grants = ((await this.store.get(GRANTS)) ?? []).filter(
      (/** @type {import("./types.js").Grant} */ g) => !g.expiresT || g.expiresT > this.clock.now());
    this.view.erasure = (await this.store.get(PROOF)) ?? null;
    const unconfirmed = await this.withdrawals.restore();
    const [unerased] = await this.erasures.restore();
    if (unconfirmed.length > 0 || unerased) {
      this.view = { ...this.view, state: "STOPPING", stopQueued: true, erasing: unerased !== undefined };
      this.grants = [];
      if (unerased) this.erasing = Promise.resolve(this.#untilErased(unerased));
      if (unconfirmed.length > 0) void Promise.all(unconfirmed.map((w) => w.done)).then(() => this.#confirmed("all", {}, null));
    } else if (this.grants[0]) {
      this.view = { ...this.view, state: "READY", store: this.grants[0].store };
    }
  }

  /** The server says that there is no grant any more: then there is none here either. @param {string} store */
  #forgetGrants(store) {
    this.grants = this.grants.filter((g) => g.store !== store);
    void this.store.set(GRANTS, this.grants).catch(() => {});
  }

  /** Requests that are still open are rejoined by the next session of the visit. */
  #openHelp() {
    return Object.fromEntries(Object.entries(this.view.help).filter(([, state]) => state !== "done"));
  }

  /** @param {import("./machine.js").Step} step @param {Partial<import("./types.js").View>} [patch] */
  #step(step, patch = {}) {
    const state = next(this.view.state, step);
    if (state === null) return false;
    this.#note({ ...patch, state });
    this.#inPocket();
    return true;
  }

  /** @param {Partial<import("./types.js").View>} patch */
  #note(patch) {
    this.view = { ...this.view, ...patch };
    for (const listener of this.listeners) listener(this.view);
  }
}

/** @param {import("./types.js").Scope} scope @param {{store?: string, purpose?: string}} what @param {import("./types.js").Grant} grant */
function covers(scope, what, grant) {
  if (scope === "all") return true;
  if (grant.store !== what.store) return false;
  return scope === "store" || grant.purpose === what.purpose;
}
