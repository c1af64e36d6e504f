// SPDX-License-Identifier: Apache-2.0

const TOUCHES = ["pointerdown", "keydown", "wheel"];

/**
 * Whether somebody is at a device that several people use. The server locks it by what the beats say; this page goes dark by itself, so
 * that it does so with no server to be heard too. Of two clocks the later counts: one of them may stand still while a device sleeps.
 */
export class Idle {
  /** @param {number} ms  without a touch or a key */
  constructor(ms) {
    this.ms = ms;
    this.fresh = false;
    this.touched = () => {
      this.fresh = true;
      this.last = { mono: performance.now(), wall: Date.now() };
    };
    this.last = { mono: performance.now(), wall: Date.now() };
    for (const type of TOUCHES) addEventListener(type, this.touched, { capture: true, passive: true });
  }

  /** Whether somebody has touched the device since this was asked last. */
  take() {
    const { fresh } = this;
    this.fresh = false;
    return fresh;
  }

  get over() { return Math.max(performance.now() - this.last.mono, Date.now() - this.last.wall) >= this.ms; }

  close() {
    for (const type of TOUCHES) removeEventListener(type, this.touched, { capture: true });
  }
}
