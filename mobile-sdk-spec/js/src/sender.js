// SPDX-License-Identifier: Apache-2.0

import { Slot } from "./slot.js";

/** The pace before the server has set one, and the least change that counts as moving. */
const PACE = { min: 1_000, moving: 2_000, still: 10_000 };
const MOVED_M = 2.5;
const WALKING_MPS = 0.3;

/** Fields of a fix that are sent whether or not the server lists them: without them it is none (SPEC.md, F-1). */
const ALWAYS = new Set(["type", "seq", "t", "lat", "lng", "app_state", "precise"]);

/**
 * Decides when a fix leaves: one in flight, one waiting, never faster than the server allows.
 * It owns the sequence numbers.
 */
export class Sender {
  /**
   * @param {import("./clock.js").Env} env @param {import("./clock.js").ServerClock} clock
   * @param {import("./fence.js").Fence} fence
   */
  constructor(env, clock, fence) {
    this.env = env;
    this.clock = clock;
    this.fence = fence;
    /** @type {Slot<import("./types.js").Reading>} */
    this.slot = new Slot(env.mono);
    this.seq = 0;
    this.pace = { ...PACE };
    /** @type {Set<string>|null} */ this.fields = null;
    this.throttle = { min: 0, until: 0 };
    /** @type {"foreground"|"pocket"} */ this.appState = "foreground";
    /** Whether a change of state is awaited, and the quickest pace therefore right. */
    this.eager = true;
    this.sentAt = -Infinity;
    this.outsideAt = -Infinity;
    /** @type {import("./types.js").Reading|null} */ this.last = null;
    /** @type {import("./socket.js").Socket|null} */ this.socket = null;
    this.timer = 0;
  }

  /** Takes the figures of a welcome and starts on its connection; none: it waits for a map. @param {import("./socket.js").Socket|null} socket @param {any} welcome */
  start(socket, welcome) {
    this.socket = socket;
    this.seq = welcome.resumed ? Math.max(this.seq, Number(welcome.last_seq) || 0) : 0;
    this.pace = {
      min: welcome.min_ms ?? PACE.min, moving: welcome.moving_ms ?? PACE.moving, still: welcome.still_ms ?? PACE.still,
    };
    this.fields = welcome.fields?.length ? new Set(welcome.fields) : null;
    this.eager = true;
    this.sentAt = this.outsideAt = -Infinity;
    this.pump();
  }

  /** Stops on this connection; what waits stays in the slot. */
  stop() {
    this.socket = null;
    this.env.clearTimeout(this.timer);
  }

  /** Forgets everything that says where the phone is. */
  clear() {
    this.stop();
    this.slot.clear();
    this.last = null;
  }

  /** @param {import("./types.js").Reading} reading a reading inside the boundary */
  put(reading) {
    this.slot.put(reading, reading.capturedAt ?? this.env.mono());
    this.pump();
  }

  /** Says that the phone is outside, without saying where. @param {string} where */
  outside(where) {
    this.slot.clear();
    const now = this.env.mono();
    if (where !== "far" && now - this.outsideAt < this.pace.min) return;
    this.outsideAt = now;
    this.last = null;
    this.socket?.send({ type: "outside", seq: ++this.seq, t: this.clock.now(), where });
  }

  /** The server asks for less. @param {number} minMs @param {number} forMs */
  slowDown(minMs, forMs) {
    this.throttle = { min: minMs, until: this.env.mono() + forMs };
  }

  /** Sends what waits, if its turn has come; else comes back when it has. */
  pump() {
    this.env.clearTimeout(this.timer);
    const held = this.slot.peek();
    if (!held || !this.socket) return;
    const wait = this.sentAt + this.#interval(held.value) - this.env.mono();
    if (wait <= 0 && this.socket.flushed) {
      this.#send(held.value, held.at);
      return;
    }
    this.timer = this.env.setTimeout(() => this.pump(), Math.max(wait, 20));
  }

  /** @param {import("./types.js").Reading} reading @param {number} at */
  #send(reading, at) {
    this.slot.take();
    if (!this.socket?.send(this.#frame(reading, at))) return;
    this.sentAt = this.env.mono();
    this.last = reading;
  }

  /** @param {import("./types.js").Reading} reading */
  #interval(reading) {
    const asked = this.env.mono() < this.throttle.until ? this.throttle.min : 0;
    const own = this.eager ? this.pace.min : this.#moving(reading) ? this.pace.moving : this.pace.still;
    return Math.max(asked, own);
  }

  /** @param {import("./types.js").Reading} reading */
  #moving(reading) {
    if (!this.last || reading.level !== this.last.level) return true;
    if ((reading.speedMps ?? 0) > WALKING_MPS) return true;
    const [ax, ay] = this.fence.xy(this.last.lat, this.last.lng);
    const [bx, by] = this.fence.xy(reading.lat, reading.lng);
    return Math.hypot(bx - ax, by - ay) > Math.max(MOVED_M, reading.accuracyM / 3);
  }

  /** @param {import("./types.js").Reading} r @param {number} at @returns {import("./types.js").Frame} */
  #frame(r, at) {
    /** @type {import("./types.js").Frame} */
    const frame = { type: "fix", seq: ++this.seq, t: this.clock.at(at), lat: r.lat, lng: r.lng };
    this.#add(frame, "accuracy_m", r.accuracyM);
    this.#add(frame, "accuracy_basis", r.basis ?? "p95");
    this.#add(frame, "level", r.level);
    this.#add(frame, "speed_mps", r.speedMps);
    this.#add(frame, "heading_deg", r.headingDeg);
    this.#add(frame, "source", r.source ?? "web");
    this.#add(frame, "mocked", r.mocked ?? false);
    this.#add(frame, "app_state", this.appState);
    this.#add(frame, "precise", true);
    return frame;
  }

  /** What the server did not declare is not collected. @param {import("./types.js").Frame} frame @param {string} name @param {unknown} value */
  #add(frame, name, value) {
    if (value === null || value === undefined) return;
    if (this.fields && !ALWAYS.has(name) && !this.fields.has(name)) return;
    frame[name] = value;
  }
}
