// SPDX-License-Identifier: Apache-2.0

import { Problem } from "./api.js";
import { backoffMs } from "./closecodes.js";
import { uuid7 } from "./encoding.js";

const SLOT = "withdrawals";
/** The longest pause between two attempts. There is no last attempt. */
const MOST_MS = 60_000;

/**
 * @typedef {object} Pending
 * @property {string} id
 * @property {import("./types.js").Scope} scope
 * @property {string} [store]
 * @property {string} [purpose]
 * @property {number} t
 * @property {string[]} stopTokens  each enough by itself
 *
 * @typedef {object} Confirmed
 * @property {string} id
 * @property {string} receipt
 * @property {import("./types.js").Removed} removed
 * @property {"http"|"socket"} via
 */

/**
 * Withdrawals on their way: written down before anything is sent, and repeated with the same id,
 * across restarts, until the store has confirmed. Whichever way confirms first wins.
 */
export class Withdrawals {
  /**
   * @param {import("./api.js").Api} api @param {import("./storage.js").Store} store
   * @param {import("./clock.js").Env} env
   */
  constructor(api, store, env) {
    this.api = api;
    this.store = store;
    this.env = env;
    /** @type {Map<string, {pending: Pending, resolve: (c: Confirmed) => void, done: Promise<Confirmed>, timer: any}>} */
    this.running = new Map();
    /** @type {Promise<void>} */
    this.saving = Promise.resolve();
    this.closed = false;
  }

  /** Takes up what an earlier run of the app left unconfirmed. @returns {Promise<Promise<Confirmed>[]>} */
  async restore() {
    /** @type {Pending[]} */
    const left = (await this.store.get(SLOT)) ?? [];
    return left.map((pending) => {
      const done = this.#run(pending);
      void this.#attempt(pending.id, 0);
      return done;
    });
  }

  /**
   * Writes a withdrawal down and starts to send it.
   * @param {Omit<Pending, "id">} what @returns {Promise<{id: string, done: Promise<Confirmed>}>} resolves once it is written down
   */
  async begin(what) {
    const pending = { ...what, id: uuid7(what.t) };
    const done = this.#run(pending);
    // If the device cannot write, the stop is still sent: fewer promises, not fewer stops.
    await this.#save().catch(() => {});
    void this.#attempt(pending.id, 0);
    return { id: pending.id, done };
  }

  /** The socket said so first. @param {Confirmed} confirmed */
  confirm(confirmed) {
    const entry = this.running.get(confirmed.id);
    if (!entry) return;
    this.running.delete(confirmed.id);
    this.env.clearTimeout(entry.timer);
    void this.#save().catch(() => {});
    entry.resolve(confirmed);
  }

  /** Stops repeating in this run; what is written down stays for the next. */
  close() {
    this.closed = true;
    for (const { timer } of this.running.values()) this.env.clearTimeout(timer);
  }

  /** @param {Pending} pending @returns {Promise<Confirmed>} */
  #run(pending) {
    /** @type {(c: Confirmed) => void} */ let resolve = () => {};
    /** @type {Promise<Confirmed>} */
    const done = new Promise((r) => { resolve = r; });
    this.running.set(pending.id, { pending, resolve, done, timer: 0 });
    return done;
  }

  /** Writes what is unconfirmed, one write at a time so that the newest is the last. */
  #save() {
    this.saving = this.saving.catch(() => {}).then(() =>
      this.store.set(SLOT, [...this.running.values()].map((e) => e.pending)));
    return this.saving;
  }

  /** @param {string} id @param {number} n */
  async #attempt(id, n) {
    const entry = this.running.get(id);
    if (!entry || this.closed) return;
    let retryMs = 0;
    try {
      const answer = await this.#send(entry.pending, n);
      this.confirm({ id, receipt: answer.receipt, removed: answer.removed, via: "http" });
      return;
    } catch (e) {
      if (e instanceof Problem) retryMs = e.retryMs;
    }
    if (this.closed || !this.running.has(id)) return;
    const wait = Math.min(MOST_MS, backoffMs(n, Math.max(retryMs, 200), this.env.random));
    entry.timer = this.env.setTimeout(() => void this.#attempt(id, n + 1), wait);
  }

  /** Stop tokens first; if none is taken, the shopper's own token. @param {Pending} pending @param {number} n */
  async #send({ id, scope, store, purpose, t, stopTokens }, n) {
    const body = { id, scope, t, ...(store ? { store } : {}), ...(purpose ? { purpose } : {}) };
    for (const token of rotate(stopTokens, n)) {
      try {
        return await this.api.withdraw(body, token);
      } catch (e) {
        if (e instanceof Problem && e.passing) throw e;
      }
    }
    return this.api.withdraw(body);
  }
}

/** @template T @param {T[]} list @param {number} n */
const rotate = (list, n) => list.map((_, i) => /** @type {T} */ (list[(i + n) % list.length]));
