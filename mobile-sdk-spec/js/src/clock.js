// SPDX-License-Identifier: Apache-2.0

/**
 * Time and chance, injected so that tests own them. `mono` never goes back; `wall` may.
 * @typedef {object} Env
 * @property {() => number} mono  ms
 * @property {() => number} wall  Unix ms
 * @property {() => number} random  0 ≤ x < 1
 * @property {(f: () => void, ms: number) => any} setTimeout
 * @property {(handle: any) => void} clearTimeout
 */

/** @returns {Env} */
export const realEnv = () => ({
  mono: () => performance.now(),
  wall: () => Date.now(),
  random: Math.random,
  setTimeout: (f, ms) => globalThis.setTimeout(f, ms),
  clearTimeout: (handle) => globalThis.clearTimeout(handle),
});

/** How many round trips are compared; the quickest one knows best. */
const SAMPLES = 8;

/**
 * Server time on the phone's monotonic clock. The wall clock serves only until the first answer:
 * it may be wrong by hours, and may be turned at any moment.
 */
export class ServerClock {
  /** @param {Env} env */
  constructor(env) {
    this.env = env;
    /** @type {{rtt: number, offset: number}[]} */
    this.samples = [];
  }

  /** Takes the server's time from an answer. @param {number} t @param {number} sentAt @param {number} receivedAt both monotonic */
  sample(t, sentAt, receivedAt) {
    if (!Number.isFinite(t) || t <= 0) return;
    const rtt = Math.max(0, receivedAt - sentAt);
    this.samples.push({ rtt, offset: t - (sentAt + rtt / 2) });
    if (this.samples.length > SAMPLES) this.samples.shift();
  }

  /** Forgets what it knew: the server says that our time is wrong. */
  reset() { this.samples = []; }

  /** Whether the server has told us its time yet. */
  get known() { return this.samples.length > 0; }

  /** Server time at a monotonic instant. @param {number} mono */
  at(mono) {
    let best = this.samples[0];
    for (const s of this.samples) if (best && s.rtt < best.rtt) best = s;
    const offset = best ? best.offset : this.env.wall() - this.env.mono();
    return Math.round(mono + offset);
  }

  /** Server time now. */
  now() { return this.at(this.env.mono()); }
}
