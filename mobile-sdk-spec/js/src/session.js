// SPDX-License-Identifier: Apache-2.0

import { BACKOFF, backoffMs } from "./closecodes.js";
import { uuid7 } from "./encoding.js";
import { Fence, JUDGE } from "./fence.js";
import { frames } from "./frames.js";
import { Link } from "./link.js";
import { OPEN } from "./machine.js";
import { Sender } from "./sender.js";
import { Timers } from "./timers.js";

/** Waits: a closed desk asked again, a suspension, the server's last word after it, a resync. */
export const SESSION = { obstacleMs: 30_000, suspendMs: 10_000, lastWordMs: 2_500, resyncMs: 300_000 };

/**
 * @typedef {import("./link.js").LinkOptions & {
 *   clock: import("./clock.js").ServerClock, fence: Fence, sdk: string, lang: string,
 *   limits?: Partial<typeof import("./socket.js").SOCKET & typeof SESSION>,
 * }} SessionOptions
 *
 * @typedef {object} Host  What a session tells, and what it may ask.
 * @property {() => import("./machine.js").State} state
 * @property {(step: import("./machine.js").Step, patch?: Partial<import("./types.js").View>) => boolean} step
 * @property {(patch: Partial<import("./types.js").View>) => void} note
 * @property {() => import("./types.js").View} view
 * @property {(frame: any) => void} withdrawn
 */

/** One wish to be helped in one store: from LOCAL until it ends, over as many connections as it takes. */
export class Session {
  /** @param {SessionOptions} options @param {Host} host */
  constructor(options, host) {
    this.options = options;
    this.host = host;
    this.clock = options.clock;
    this.env = options.env;
    this.limits = { ...SESSION, ...options.limits };
    this.fence = options.fence;
    this.sender = new Sender(options.env, options.clock, options.fence);
    this.timers = new Timers(options.env);
    this.link = new Link(options, {
      hello: (resume) => ({
        type: "hello", t: this.clock.now(), sdk: options.sdk, lang: options.lang, fence: this.fence.version,
        ...(resume ? { resume } : {}),
      }),
      frame: (frame) => { if (!this.over) frames[frame.type]?.(this, frame); },
      refused: (problem) => this.#refused(problem),
      closed: (code, rule) => this.#closed(code, rule),
    });
    this.attempt = 0;
    this.welcomedAt = -Infinity;
    this.troubleSince = 0;
    this.outs = 0;
    this.clockTrouble = 0;
    /** @type {{t0: number, at: number}|null} */ this.timeAsked = null;
    this.askAgainAt = -Infinity;
    this.over = false;
  }

  // ——— readings ———

  /** A reading of the phone's location. It is judged here; only one inside can leave. @param {import("./types.js").Reading} reading */
  fix(reading) {
    const state = this.host.state();
    if (this.over || state === "PAUSED" || state === "STOPPING") return;
    const { where } = this.fence.judge(reading);
    if (where === "inside") this.#inside(state, reading);
    else this.#outside(state, where);
  }

  /** @param {import("./machine.js").State} state @param {import("./types.js").Reading} reading */
  #inside(state, reading) {
    this.outs = 0;
    this.sender.put(reading);
    if (state !== "LOCAL" || reading.accuracyM > JUDGE.enterM) return;
    if (this.env.mono() < this.askAgainAt) return;
    if (this.host.step("inside", { obstacle: null })) void this.link.open();
  }

  /** @param {import("./machine.js").State} state @param {import("./fence.js").Where} where */
  #outside(state, where) {
    this.sender.outside(where);
    if (!OPEN.has(state) || where === "edge" || where === "unknown") return;
    this.outs++;
    const certain = where === "far" || this.outs >= 2;
    if (state === "CONNECTING" || state === "BACKOFF") {
      if (certain) this.end("left_store", 4501, "user");
      return;
    }
    this.sender.eager = true;
    this.host.step("suspended", { seen: null });
    this.#awaitEnd(certain);
  }

  /** The server has the last word on an end; if it is not heard, the phone ends by itself. @param {boolean} certain */
  #awaitEnd(certain) {
    if (!certain && this.timers.has("end")) return;
    const wait = this.limits.lastWordMs + (certain ? 0 : this.limits.suspendMs);
    if (certain && this.timers.has("certain")) return;
    if (certain) this.timers.after("certain", wait, () => this.end("left_store", 4501, "user"));
    else this.timers.after("end", wait, () => this.end("left_store", 4501, "user"));
  }

  // ——— what the user does ———

  /** Location off first, then the word to the server. @param {"user"|"background"|"permission"} reason */
  pause(reason) {
    const open = this.link.socket;
    this.sender.clear();
    if (!this.host.step("pause", { pausedBy: reason, seen: null, obstacle: null })) return;
    open?.send({ type: "pause", reason });
    this.link.drop();
    this.timers.stopAll();
  }

  /** On screen again: the same session if there is still time, else from the fence on. */
  back() {
    const soon = this.link.resumable && this.#leaseLeft() > 0;
    this.outs = 0;
    if (!this.host.step(soon ? "back" : "back_late", soon ? { pausedBy: null } : { pausedBy: null, word: null })) return;
    if (soon) void this.link.open();
    else this.link.forget();
  }

  /** Asks for a person. @param {string} topic @param {boolean} showMe @returns {string|null} the request's id; null if no session is open */
  help(topic, showMe) {
    const id = uuid7(this.clock.now());
    if (!this.link.send({ type: "help", id, topic, show_me: showMe })) return null;
    this.host.note({ help: { ...this.host.view().help, [id]: "sent" } });
    return id;
  }

  /** @param {"pickup"|"appointment"} kind @param {string} ref at most 64 characters @returns {string|null} */
  checkin(kind, ref) {
    const id = uuid7(this.clock.now());
    return this.link.send({ type: "checkin", id, kind, ref: ref.slice(0, 64) }) ? id : null;
  }

  /** The user's own end, without a withdrawal. */
  bye() {
    this.link.send({ type: "bye" });
    this.dispose();
  }

  /**
   * A withdrawal has begun: nothing more is said of where the phone is. An open connection stays for
   * the withdrawal itself; one that is still being opened does not.
   */
  halt() {
    this.sender.clear();
    this.timers.stopAll();
    if (this.host.state() === "CONNECTING" || this.host.state() === "BACKOFF") this.link.drop();
  }

  /** Silence, at once and for good. */
  dispose() {
    this.over = true;
    this.sender.clear();
    this.link.drop();
    this.timers.stopAll();
  }

  // ——— what the server says ———

  /** @param {any} w */
  welcome(w) {
    if (!this.link.socket) return;
    this.clock.sample(w.t, this.link.sentHelloAt, this.env.mono());
    this.welcomedAt = this.env.mono();
    this.link.welcomed(w);
    this.timers.every("resync", this.limits.resyncMs, () => this.askTime());
    this.host.step("welcome", {
      word: w.word ?? null, leaseUntil: w.t + (w.lease_ms ?? 0), obstacle: null,
      purposes: w.purposes?.length ? w.purposes : this.options.purposes,
    });
    const same = !w.fence || w.fence === this.fence.version; // else a map frame follows, and nothing is sent until that is here
    this.sender.start(same ? this.link.socket : null, w);
  }

  /** @param {any} s */
  state(s) {
    if (s.state === "ended") {
      this.end(s.reason ?? "", s.code ?? 0, s.restart ?? "", s.t);
      return;
    }
    this.sender.eager = s.state !== "active";
    if (s.state === "active") {
      this.timers.stop("end");
      this.timers.stop("certain");
      this.outs = this.troubleSince = this.clockTrouble = 0;
    }
    this.host.step(s.state, s.state === "active" ? {} : { seen: null });
    this.sender.pump();
  }

  askTime() {
    this.timeAsked = { t0: this.clock.now(), at: this.env.mono() };
    this.link.send({ type: "time", t0: this.timeAsked.t0 });
  }

  /** An answer to what was asked tells the time; a beat tells nothing of how long it was under way. @param {any} f */
  timeAnswered(f) {
    const asked = this.timeAsked;
    if (!asked || f.t0 !== asked.t0) return;
    this.clock.sample(f.t, asked.at, this.env.mono());
    this.timeAsked = null;
  }

  /** The server doubts our time: ask for it, and believe the second doubt. */
  clockRefused() {
    if (++this.clockTrouble >= 2) this.end("clock", 0, "user");
    else this.askTime();
  }

  /** A new map: nothing is sent until it is here. @param {any} m */
  async changeMap(m) {
    const { socket } = this.link;
    this.sender.stop();
    try {
      const json = m.url ? await this.options.api.get(m.url) : await this.options.api.fence(this.options.store, m.fence);
      this.fence = this.sender.fence = new Fence(json);
    } catch {
      return; // without the map the session may not go on: the server ends it at `by`
    }
    this.sender.slot.clear(); // what waits was judged by the map before
    if (!socket?.send({ type: "map_ok", fence: this.fence.version, seq: this.sender.seq + 1 })) return;
    this.sender.socket = socket;
    this.sender.pump();
  }

  async renewAuth() {
    const { api, store, purposes } = this.options;
    try {
      const { ticket } = await api.ticket(store, purposes);
      this.link.send({ type: "auth", ticket });
    } catch {
      return; // the server closes with 4006 when time is up, and the way back starts from there
    }
  }

  /** @param {string} reason @param {number} code @param {string} restart @param {number} [t] */
  end(reason, code, restart, t = this.clock.now()) {
    this.dispose();
    this.host.step("end", { end: { reason, code, t, restart }, word: null, seen: null, leaseUntil: 0 });
  }

  // ——— the way back ———

  /** @param {import("./api.js").Problem} problem */
  #refused(problem) {
    if (this.over) return;
    if (problem.passing) {
      this.#retry(problem.retryMs);
    } else if (problem.code === "not_granted") {
      this.end("no_grant", 4504, "decision");
    } else {
      const wait = Math.max(problem.retryMs, this.limits.obstacleMs);
      this.askAgainAt = this.env.mono() + wait;
      this.host.step("obstacle", {
        word: null, obstacle: { code: problem.code, title: problem.title || problem.message, retryAt: this.clock.now() + wait },
      });
    }
  }

  /** @param {number} code @param {import("./closecodes.js").CloseRule} rule */
  #closed(code, rule) {
    this.sender.stop();
    if (this.over || this.host.state() === "PAUSED") return;
    if (rule.name === "token_expired") this.link.forget(); // the way back is by a fresh token and ticket
    if (rule.retry) this.#retry(0);
    else this.end(rule.name, code, rule.clears);
  }

  /** @param {number} retryMs */
  #retry(retryMs) {
    const now = this.env.mono();
    if (now - this.welcomedAt > BACKOFF.resetAfterMs && Number.isFinite(this.welcomedAt) && this.troubleSince === 0) this.attempt = 0;
    this.troubleSince ||= now;
    this.timers.stopAll();
    if (!this.host.step("lost", { seen: null })) return;
    if (now - this.troubleSince > BACKOFF.giveUpMs) {
      this.dispose();
      this.host.step("give_up", { word: null });
      return;
    }
    const wait = backoffMs(this.attempt++, retryMs, this.env.random);
    const left = this.#leaseLeft();
    if (left <= 0 || wait >= left) {
      this.timers.after("lease", Math.max(0, left), () => this.#leaseOver(wait - Math.max(0, left)));
      return;
    }
    this.timers.after("retry", wait, () => {
      if (this.host.step("again")) void this.link.open();
    });
  }

  /** Too late to come back as the same session: begin again from the fence. @param {number} wait */
  #leaseOver(wait) {
    this.askAgainAt = this.env.mono() + wait;
    this.link.forget();
    this.host.step("lease_over", { word: null, leaseUntil: 0 });
  }

  #leaseLeft() { return this.host.view().leaseUntil - this.clock.now(); }
}
