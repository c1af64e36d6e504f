// SPDX-License-Identifier: Apache-2.0

import { utf8 } from "./encoding.js";

/** Limits of the way in and of silence. */
export const SOCKET = { welcomeMs: 5_000, silenceMs: 25_000, frameBytes: 1_024 };

/** Our own code for giving up on a silent peer: browsers allow 1000 and 3000–4999 only. */
const GAVE_UP = 3000;

/**
 * @typedef {object} SocketEvents
 * @property {(frame: any) => void} frame  every well-formed server frame
 * @property {(code: number) => void} close  exactly once, last
 *
 * @typedef {object} SocketOptions
 * @property {string} url
 * @property {string} credential  "ticket.…" or "resume.…": the second subprotocol, without its prefix
 * @property {typeof WebSocket} WebSocket
 * @property {import("./clock.js").Env} env
 * @property {Partial<typeof SOCKET>} [limits]
 */

/** One connection: opened once, closed once, silent for no longer than allowed. */
export class Socket {
  /** @param {SocketOptions} options @param {() => import("./types.js").Frame} hello @param {SocketEvents} events */
  constructor(options, hello, events) {
    this.options = options;
    this.events = events;
    this.limits = { ...SOCKET, ...options.limits };
    this.closed = false;
    this.ws = new options.WebSocket(options.url, ["doorstep.v1", `doorstep.${options.credential}`]);
    this.ws.onopen = () => this.send(hello());
    this.ws.onmessage = (message) => this.#receive(message.data);
    this.ws.onclose = (event) => this.#closed(event.code);
    this.ws.onerror = () => {};
    this.timer = options.env.setTimeout(() => this.#giveUp(), this.limits.welcomeMs);
  }

  /** Whether everything given to it so far has left this device. */
  get flushed() { return this.ws.bufferedAmount === 0; }

  /** Sends a frame; false if the connection is not open. @param {import("./types.js").Frame} frame */
  send(frame) {
    if (this.closed || this.ws.readyState !== this.ws.OPEN) return false;
    const text = JSON.stringify(frame);
    if (utf8(text).length > this.limits.frameBytes) throw new RangeError(`a frame of more than ${this.limits.frameBytes} bytes`);
    this.ws.send(text);
    return true;
  }

  /** Says goodbye. The close event still comes. @param {number} [code] */
  close(code = 1000) {
    if (!this.closed) this.ws.close(code);
  }

  /** Lets go at once: no event comes any more. */
  abandon() {
    this.#detach();
    this.ws.close(1000);
  }

  /** @param {unknown} data */
  #receive(data) {
    if (this.closed || typeof data !== "string") return;
    const { env } = this.options;
    env.clearTimeout(this.timer);
    this.timer = env.setTimeout(() => this.#giveUp(), this.limits.silenceMs);
    /** @type {any} */ let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return; // what cannot be read is unknown, and what is unknown is ignored
    }
    if (frame && typeof frame.type === "string") this.events.frame(frame);
  }

  // A half-open connection may never report its close: after giving up, we do not wait for it.
  #giveUp() {
    this.ws.close(GAVE_UP);
    this.#closed(1006);
  }

  /** @param {number} code */
  #closed(code) {
    if (this.closed) return;
    this.#detach();
    this.events.close(code === GAVE_UP ? 1006 : code);
  }

  #detach() {
    this.closed = true;
    this.options.env.clearTimeout(this.timer);
    this.ws.onopen = this.ws.onmessage = this.ws.onclose = null;
  }
}
