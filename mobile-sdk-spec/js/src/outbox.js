// SPDX-License-Identifier: Apache-2.0

import { Problem } from "./api.js";
import { backoffMs } from "./closecodes.js";
import { uuid7 } from "./encoding.js";

/** The longest pause between two attempts. There is no last attempt. */
const MOST_MS = 60_000;

/**
 * What the shopper has asked for and the store must confirm: written down before anything is sent, and
 * repeated with the same id, across restarts, until it has. Whichever way confirms first wins.
 *
 * @template {{t: number}} What  what is asked for, and when
 * @template {{id: string}} Done  the confirmation
 */
export class Outbox {
  /**
   * @param {string} slot where it is written down @param {(pending: What & {id: string}, n: number) => Promise<Done>} send n: attempts before
   * @param {import("./storage.js").Store} store @param {import("./clock.js").Env} env
   * @param {(why: Problem) => void} [refused] hears that the store cannot take what is pending as it is: it is kept then, and not repeated in this run
   */
  constructor(slot, send, store, env, refused) {
    this.slot = slot;
    this.refused = refused;
    this.send = send;
    this.store = store;
    this.env = env;
    /** @type {Map<string, {pending: What & {id: string}, resolve: (d: Done) => void, done: Promise<Done>, timer: any}>} */
    this.running = new Map();
    /** @type {Promise<void>} */
    this.saving = Promise.resolve();
    this.closed = false;
  }

  /** Takes up what an earlier run of the app left unconfirmed. @returns {Promise<{id: string, done: Promise<Done>}[]>} */
  async restore() {
    /** @type {(What & {id: string})[]} */
    const left = (await this.store.get(this.slot)) ?? [];
    return left.map((pending) => {
      const done = this.#run(pending);
      void this.#attempt(pending.id, 0);
      return { id: pending.id, done };
    });
  }

  /**
   * Writes it down and starts to send it.
   * @param {What} what @returns {Promise<{id: string, done: Promise<Done>}>} resolves once it is written down
   */
  async begin(what) {
    const pending = { ...what, id: uuid7(what.t) };
    const done = this.#run(pending);
    // If the device cannot write, it is still sent: fewer promises, not fewer stops.
    await this.#save().catch(() => {});
    void this.#attempt(pending.id, 0);
    return { id: pending.id, done };
  }

  /** It is confirmed, whichever way said so. @param {Done} confirmed */
  confirm(confirmed) {
    const entry = this.running.get(confirmed.id);
    if (!entry) return;
    this.running.delete(confirmed.id);
    this.env.clearTimeout(entry.timer);
    void this.#save().catch(() => {});
    entry.resolve(confirmed);
  }

  /** Lets go of what something else has settled. @param {string[]} ids */
  settle(ids) {
    for (const id of ids) {
      this.env.clearTimeout(this.running.get(id)?.timer);
      this.running.delete(id);
    }
    void this.#save().catch(() => {});
  }

  /** Stops repeating in this run; what is written down stays for the next. */
  close() {
    this.closed = true;
    for (const { timer } of this.running.values()) this.env.clearTimeout(timer);
  }

  /** @param {What & {id: string}} pending @returns {Promise<Done>} */
  #run(pending) {
    /** @type {(d: Done) => void} */ let resolve = () => {};
    /** @type {Promise<Done>} */
    const done = new Promise((r) => { resolve = r; });
    this.running.set(pending.id, { pending, resolve, done, timer: 0 });
    return done;
  }

  /** Writes what is unconfirmed, one write at a time so that the newest is the last. */
  #save() {
    this.saving = this.saving.catch(() => {}).then(() =>
      this.store.set(this.slot, [...this.running.values()].map((e) => e.pending)));
    return this.saving;
  }

  /** @param {string} id @param {number} n */
  async #attempt(id, n) {
    const entry = this.running.get(id);
    if (!entry || this.closed) return;
    let retryMs = 0;
    try {
      this.confirm(await this.send(entry.pending, n));
      return;
    } catch (e) {
      if (e instanceof Problem) retryMs = e.retryMs;
      if (e instanceof Problem && e.final && this.refused && this.running.has(id)) return this.refused(e);
    }
    if (this.closed || !this.running.has(id)) return;
    const wait = Math.min(MOST_MS, backoffMs(n, Math.max(retryMs, 200), this.env.random));
    entry.timer = this.env.setTimeout(() => void this.#attempt(id, n + 1), wait);
  }
}
