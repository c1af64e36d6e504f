// SPDX-License-Identifier: Apache-2.0

/**
 * The proof, four times a second, that a node which may serve is still there. A position is shown
 * only while its beat is younger than the stale time on this page's own clock.
 */
export class Beats {
  /** @param {() => number} mono */
  constructor(mono) {
    this.mono = mono;
    this.staleMs = 800;
    this.n = 0;
    /** @type {Map<number, number>} when each recent beat was sent */
    this.sent = new Map();
    this.freshest = -Infinity;
    this.echoedAt = -Infinity;
    /** null until the node has said anything @type {boolean|null} */
    this.serving = null;
  }

  /** A new connection: what the old one said proves nothing about it. */
  reset() {
    this.sent.clear();
    this.freshest = this.echoedAt = -Infinity;
    this.serving = null;
  }

  /** The next beat to send. */
  next() {
    this.n++;
    this.sent.set(this.n, this.mono());
    this.sent.delete(this.n - 200);
    return this.n;
  }

  /** @param {number} n @param {boolean} serving */
  echo(n, serving) {
    const sent = this.sent.get(n);
    if (sent === undefined) return;
    this.echoedAt = this.mono();
    this.serving = serving;
    if (serving && sent > this.freshest) this.freshest = sent;
  }

  /** Whether positions may be shown at this moment. */
  get fresh() { return this.serving === true && this.mono() - this.freshest <= this.staleMs; }

  /** Whether a position that carries this beat may be taken. @param {number} n */
  takes(n) {
    const sent = this.sent.get(n);
    return sent !== undefined && this.mono() - sent <= this.staleMs && this.serving !== false;
  }

  /** How long nothing has been echoed. */
  get quietMs() { return this.mono() - this.echoedAt; }
}
