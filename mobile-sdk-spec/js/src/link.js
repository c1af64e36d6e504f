// SPDX-License-Identifier: Apache-2.0

import { Problem } from "./api.js";
import { closeRule } from "./closecodes.js";
import { Socket } from "./socket.js";

/**
 * @typedef {object} LinkEvents
 * @property {(resume: string|undefined) => import("./types.js").Frame} hello
 * @property {(frame: any) => void} frame
 * @property {(problem: Problem) => void} refused  no ticket was to be had
 * @property {(code: number, rule: import("./closecodes.js").CloseRule) => void} closed
 *
 * @typedef {object} LinkOptions
 * @property {import("./api.js").Api} api
 * @property {import("./clock.js").Env} env
 * @property {string} store
 * @property {string[]} purposes
 * @property {typeof WebSocket} WebSocket
 * @property {Partial<typeof import("./socket.js").SOCKET>} [limits]
 */

/** The way in: a resume token while it lasts, else a ticket; then one socket. */
export class Link {
  /** @param {LinkOptions} options @param {LinkEvents} events */
  constructor(options, events) {
    this.options = options;
    this.events = events;
    /** @type {Socket|null} */ this.socket = null;
    this.url = "";
    this.token = "";
    this.resumeMs = 0;
    this.lostAt = 0;
    this.sentHelloAt = 0;
    this.run = 0;
  }

  /** Whether the session that was lost can still be taken up. */
  get resumable() {
    return this.token !== "" && this.options.env.mono() - this.lostAt < this.resumeMs;
  }

  async open() {
    const run = ++this.run;
    if (this.resumable) {
      const token = this.token;
      this.token = ""; // single use, whatever comes of it
      this.#connect(this.url, `resume.${token}`, token);
      return;
    }
    this.forget();
    try {
      const { ticket, url } = await this.options.api.ticket(this.options.store, this.options.purposes);
      if (run === this.run) this.#connect(url, `ticket.${ticket}`);
    } catch (e) {
      if (run === this.run) this.events.refused(e instanceof Problem ? e : new Problem(0, { detail: String(e) }));
    }
  }

  /** Takes what a welcome says about the way back. @param {any} w */
  welcomed(w) {
    this.token = w.resume ?? "";
    this.resumeMs = w.resume_ms ?? 0;
    this.lostAt = Infinity;
  }

  /** @param {import("./types.js").Frame} frame @returns {boolean} whether there was a connection to send it on */
  send(frame) { return this.socket?.send(frame) ?? false; }

  /** Lets the connection go without an event; the way back stays open for its time. */
  drop() {
    this.run++;
    if (!this.socket) return;
    this.lostAt = this.options.env.mono();
    this.socket.abandon();
    this.socket = null;
  }

  forget() {
    this.token = "";
    this.resumeMs = 0;
  }

  /** @param {string} url @param {string} credential @param {string} [resume] */
  #connect(url, credential, resume) {
    const { WebSocket, env, limits } = this.options;
    this.url = url;
    const socket = new Socket({ url, credential, WebSocket, env, limits }, () => {
      this.sentHelloAt = env.mono();
      return this.events.hello(resume);
    }, {
      frame: this.events.frame,
      close: (code) => this.#closed(code, resume !== undefined && this.token === ""),
    });
    this.socket = socket;
  }

  /** @param {number} code @param {boolean} inVain a resume that was not welcomed */
  #closed(code, inVain) {
    this.socket = null;
    this.lostAt = this.options.env.mono();
    // A resume that is refused says nothing about a ticket: ask for one.
    const rule = inVain && code === 4502 ? closeRule(4006) : closeRule(code);
    this.events.closed(code, rule);
  }
}
