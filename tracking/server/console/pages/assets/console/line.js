// SPDX-License-Identifier: Apache-2.0

import { me } from "./api.js";
import { Beats } from "./beats.js";

/** After this long without an echo the connection counts as lost; after the second, nothing of it is shown. */
export const LOST_MS = 2_000;
export const FORGET_MS = 60_000;
const FIRST_MS = 500, MOST_MS = 10_000;
/** The close code that says that the sign-in has ended, or that the device is locked. */
const SIGN_IN_OVER = 4006;

/**
 * @typedef {"connecting"|"live"|"unconfirmed"|"lost"|"signed_out"} Status
 * @typedef {object} LineEvents
 * @property {(frame: any) => void} frame
 * @property {(status: Status) => void} status  on each change
 * @property {() => void} blank  positions must leave the screen now
 * @property {() => void} tick  ten times a second
 */

/** The console's connection: beats, the judgement of silence, and the way back. */
export class Line {
  /**
   * @param {LineEvents} events @param {() => {since: number, epoch?: string}} seen  how far this page had come
   * @param {() => boolean} touched  whether somebody has touched the device since this was asked last, where the server is to know
   */
  constructor(events, seen, touched) {
    this.events = events;
    this.seen = seen;
    this.touched = touched;
    this.beats = new Beats(() => performance.now());
    /** @type {Status} */ this.status = "connecting";
    /** @type {WebSocket|null} */ this.ws = null;
    this.attempt = 0;
    this.beatMs = 250;
    /** When the last word came from the server: monotonic and Unix. */
    this.heard = { mono: performance.now(), wall: Date.now() };
    this.fresh = false;
    this.closed = false;
    /** @type {any} */ this.beating = 0;
    this.ticking = setInterval(() => this.#tick(), 100);
    this.#connect();
  }

  /** @param {any} frame */
  send(frame) {
    if (this.ws?.readyState === WebSocket.OPEN) this.ws.send(JSON.stringify(frame));
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.ticking);
    this.#drop();
    this.#become("signed_out");
  }

  /** How long the server has not been heard. */
  get silentMs() { return performance.now() - this.heard.mono; }

  #connect() {
    if (this.closed || this.ws) return;
    this.beats.reset();
    const ws = new WebSocket(`${location.origin.replace(/^http/, "ws")}/v1/staff/socket`, ["doorstep.staff.v1"]);
    this.ws = ws;
    ws.onopen = () => this.send({ type: "hello", ...this.seen() });
    ws.onmessage = (m) => this.#receive(m.data);
    ws.onclose = (e) => this.#lost(e.code);
  }

  #drop() {
    clearInterval(this.beating);
    if (!this.ws) return;
    this.ws.onopen = this.ws.onmessage = this.ws.onclose = null;
    this.ws.close(1000);
    this.ws = null;
  }

  /** @param {string} data */
  #receive(data) {
    /** @type {any} */ let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    this.heard = { mono: performance.now(), wall: Date.now() };
    if (frame.type === "beat") {
      this.beats.echo(frame.n, frame.serving === true);
      this.#judge();
      return;
    }
    if (frame.type === "position" && !this.beats.takes(frame.n)) return;
    if (frame.type === "welcome") this.#welcome(frame);
    this.events.frame(frame);
  }

  /** @param {any} w */
  #welcome(w) {
    this.attempt = 0;
    this.beatMs = w.beat_ms ?? 250;
    this.beats.staleMs = w.stale_ms ?? 800;
    clearInterval(this.beating);
    this.beating = setInterval(() => this.#beat(), this.beatMs);
    this.#beat();
  }

  #beat() { this.send({ type: "beat", n: this.beats.next(), ...(this.touched() ? { touched: true } : {}) }); }

  /** @param {number} code */
  #lost(code) {
    this.#drop();
    this.#judge();
    if (code === 4502 || code === 4500 || code === 4504) {
      this.close();
      return;
    }
    const over = code === SIGN_IN_OVER;
    const wait = (over ? 0 : Math.random()) * Math.min(MOST_MS, FIRST_MS * 2 ** this.attempt++) + 100;
    setTimeout(() => void this.#again(over || this.attempt > 1), wait);
  }

  /** A browser hides why an upgrade failed: ask first whether anybody is still signed in. @param {boolean} ask */
  async #again(ask) {
    try {
      if (ask && !this.closed && typeof (await me()) === "string") this.close();
    } catch {
      // no answer says nothing about the sign-in
    }
    this.#connect();
  }

  #tick() {
    // A socket that stays open and says nothing is no connection: begin anew.
    if (this.ws?.readyState === WebSocket.OPEN && this.silentMs > 5_000) this.#lost(1006);
    this.#judge();
    this.events.tick();
  }

  #judge() {
    const fresh = this.ws !== null && this.beats.fresh;
    if (this.fresh && !fresh) this.events.blank();
    this.fresh = fresh;
    if (fresh) this.#become("live");
    else if (this.beats.serving === false && this.beats.quietMs < LOST_MS) this.#become("unconfirmed");
    else if (this.status !== "connecting" && this.silentMs > LOST_MS) this.#become("lost");
    else if (this.status === "connecting" && this.silentMs > 3 * LOST_MS) this.#become("lost");
  }

  /** @param {Status} status */
  #become(status) {
    if (this.status === status) return;
    this.status = status;
    this.events.status(status);
  }
}
