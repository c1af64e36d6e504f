// SPDX-License-Identifier: Apache-2.0

/** Timers by name: setting one again replaces it, and all can be stopped together. */
export class Timers {
  /** @param {import("./clock.js").Env} env */
  constructor(env) {
    this.env = env;
    /** @type {Map<string, any>} */
    this.running = new Map();
  }

  /** @param {string} name @param {number} ms @param {() => void} f */
  after(name, ms, f) {
    this.stop(name);
    this.running.set(name, this.env.setTimeout(() => {
      this.running.delete(name);
      f();
    }, ms));
  }

  /** @param {string} name @param {number} ms @param {() => void} f */
  every(name, ms, f) {
    this.after(name, ms, () => {
      f();
      this.every(name, ms, f);
    });
  }

  /** @param {string} name */
  has(name) { return this.running.has(name); }

  /** @param {string} name */
  stop(name) {
    this.env.clearTimeout(this.running.get(name));
    this.running.delete(name);
  }

  stopAll() {
    for (const name of [...this.running.keys()]) this.stop(name);
  }
}
