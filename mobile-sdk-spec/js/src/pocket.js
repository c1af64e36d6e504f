// SPDX-License-Identifier: Apache-2.0

/** The time for which a phone goes on that is not looked at (SPEC.md, D-7). */
export class Pocket {
  /** @param {import("./clock.js").Env} env */
  constructor(env) {
    this.env = env;
    this.on = false;
    this.timer = 0;
  }

  /** @param {number} ms @param {() => void} over */
  begin(ms, over) {
    this.end();
    this.on = true;
    this.timer = this.env.setTimeout(() => {
      this.on = false;
      over();
    }, ms);
  }

  end() {
    this.env.clearTimeout(this.timer);
    this.on = false;
  }

  /**
   * How long the longest of these grants lets it go on.
   * @param {import("./types.js").Grant[]} grants
   */
  static most(grants) { return Math.max(0, ...grants.map((g) => g.pocketMs ?? 0)); }
}
