// SPDX-License-Identifier: Apache-2.0

import { around } from "./fence.js";

/**
 * Which of several stores is meant: the one whose fence a reading is inside of, or, where they overlap, the one that the shopper
 * picked (SPEC.md, P-6). It is decided on the phone, and sent nowhere.
 */
export class Choice {
  /** @param {import("./fence.js").Fence[]} fences */
  constructor(fences) {
    this.fences = fences;
    /** @type {string|null} */ this.picked = null;
  }

  /**
   * The store that a reading is about, if it is one, and otherwise those that there are to pick from. A choice holds until a
   * reading is inside that store no more.
   * @param {import("./types.js").Reading} reading
   * @returns {{fence: import("./fence.js").Fence|null, among: string[]}}
   */
  of(reading) {
    const [only] = this.fences;
    if (only && this.fences.length === 1) return { fence: only, among: [] };
    const here = around(this.fences, reading);
    const chosen = here.find((f) => f.store === this.picked) ?? null;
    if (!chosen) this.picked = null;
    const fence = chosen ?? (here.length === 1 ? here[0] ?? null : null);
    return { fence, among: fence ? [] : here.map((f) => f.store) };
  }
}
