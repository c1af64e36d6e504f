// SPDX-License-Identifier: Apache-2.0

/** A reading older than this is worth nothing to anybody. */
export const SLOT_MS = 15_000;

/**
 * The one place where a reading waits for its turn. A newer one overwrites it; nothing else is
 * buffered anywhere, so there is never more than one place to clear.
 * @template T
 */
export class Slot {
  /** @param {() => number} mono */
  constructor(mono) {
    this.mono = mono;
    /** @type {{value: T, at: number}|null} */
    this.held = null;
  }

  /** @param {T} value @param {number} [at] when it was measured, monotonic ms */
  put(value, at = this.mono()) { this.held = { value, at }; }

  /** The reading, if it is there and young enough; it stays until taken. */
  peek() {
    if (this.held && this.mono() - this.held.at > SLOT_MS) this.held = null;
    return this.held;
  }

  take() {
    const held = this.peek();
    this.held = null;
    return held;
  }

  clear() { this.held = null; }
}
