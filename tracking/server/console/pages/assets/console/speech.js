// SPDX-License-Identifier: Apache-2.0

import { h } from "../lib/dom.js";

const BATCH_MS = 2_000;

/** What the page says aloud: politely and in batches, or at once when it cannot wait. Never a position. */
export class Speech {
  constructor() {
    this.polite = h("div", { class: "spoken", aria: { live: "polite" } });
    this.urgent = h("div", { class: "spoken", aria: { live: "assertive" } });
    /** @type {string[]} */ this.waiting = [];
    /** @type {any} */ this.timer = 0;
  }

  /** @param {string} text */
  say(text) {
    this.waiting.push(text);
    this.timer ||= setTimeout(() => {
      this.timer = 0;
      this.polite.textContent = this.waiting.slice(-2).join(" ");
      this.waiting = [];
    }, BATCH_MS);
  }

  /** @param {string} text */
  now(text) {
    this.urgent.textContent = "";
    this.urgent.append(text);
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.waiting = [];
    this.polite.textContent = this.urgent.textContent = "";
  }
}
