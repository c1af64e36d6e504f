// SPDX-License-Identifier: Apache-2.0

import { isNamed, roomIn } from "../lib/names.js";
import { Ways, distance } from "./route.js";

/** A walk, the fastest that a server still believes (its limit is 12 m/s), and the figures of a good phone. */
const WALK_MPS = 1.3, FASTEST_MPS = 9.5, ACCURACY_M = 6, NOISE_M = 1.2, MEMORY = 0.85;
const STEP_MS = 100, FIX_MS = 1_000, START_M = 9, LEAVE_M = 70, STAND_M = 6;

/**
 * @typedef {import("./route.js").Point} Point
 * @typedef {import("/assets/sdk/src/index.js").Fence} Fence
 */

/** Somebody with a phone, walking. What the phone reports goes to `report`, once a second. */
export class Walker {
  /**
   * @param {Fence} fence
   * @param {(reading: any) => void} report
   * @param {() => void} moved
   */
  constructor(fence, report, moved) {
    this.fence = fence;
    this.report = report;
    this.moved = moved;
    this.ways = new Ways(fence);
    this.level = this.ways.ground;
    /** @type {Point} */ this.at = this.ways.outsideOf(/** @type {any} */ (this.ways.doors[0]).at, START_M);
    /** @type {Point[]} */ this.path = [];
    /** @type {Point[]} the last walk, from its first point */ this.walked = [this.at];
    this.speed = 1;
    this.silent = false;
    this.locked = false;
    /** @type {Point} */ this.noise = [0, 0];
    this.last = performance.now();
    this.reportedAt = -Infinity;
    this.timer = setInterval(() => this.#step(), STEP_MS);
  }

  stop() { clearInterval(this.timer); }

  /** Whether whoever walks is inside, which their phone may still doubt. */
  get inside() { return this.ways.inside(this.at, this.level); }

  /** To a department near the door, through the door. */
  walkIn() {
    this.level = this.ways.ground;
    this.#begin(this.ways.way(this.at, this.#goal(), this.level));
  }

  /** Out of the nearest door and on. */
  walkOut() {
    this.level = this.ways.ground;
    const door = this.ways.nearestDoor(this.at);
    const far = this.ways.outsideOf(door, LEAVE_M);
    this.#begin(this.ways.way(this.at, far, this.level));
  }

  /** One more point of a walk. @param {Point} to */
  walkTo(to) {
    const from = this.path.at(-1) ?? this.at;
    const way = this.ways.way(from, to, this.level);
    if (this.path.length === 0) this.#begin(way);
    else {
      this.path.push(...way);
      this.walked.push(...way);
    }
  }

  /** The last walk once more, from its beginning. */
  again() {
    const [first, ...rest] = this.walked;
    if (!first) return;
    this.path = [...this.ways.way(this.at, first, this.level), ...rest];
  }

  /** @param {Point[]} path */
  #begin(path) {
    this.walked = [this.at, ...path];
    this.path = path.slice();
  }

  /** The middle of the nearest department that has room for somebody to stand in. @returns {Point} */
  #goal() {
    const door = /** @type {any} */ (this.ways.doors[0]).at;
    const middles = this.fence.zones.filter((z) => z.level === this.level && !z.sensitive && isNamed(z.class)).flatMap((z) => {
      const { x, y, w } = roomIn(z.shape.map((polygon) => polygon.map((ring) => ring.map(([lng, lat]) => this.fence.xy(lat, lng)))), STAND_M);
      const p = /** @type {Point} */ ([x, y]);
      return w >= STAND_M && this.ways.inside(p, this.level) ? [p] : [];
    });
    return middles.sort((a, b) => distance(a, door) - distance(b, door))[0] ?? this.#inward();
  }

  /** Eight metres in from the first door. @returns {Point} */
  #inward() { return this.ways.outsideOf(/** @type {any} */ (this.ways.doors[0]).at, -8); }

  #step() {
    const now = performance.now();
    let left = (Math.min(WALK_MPS * this.speed, FASTEST_MPS) * (now - this.last)) / 1000;
    this.last = now;
    while (left > 0 && this.path[0]) {
      const to = this.path[0], d = distance(this.at, to);
      if (d <= left) {
        this.at = to;
        this.path.shift();
      } else {
        this.at = [this.at[0] + ((to[0] - this.at[0]) * left) / d, this.at[1] + ((to[1] - this.at[1]) * left) / d];
      }
      left -= d;
    }
    this.moved();
    if (now - this.reportedAt < FIX_MS || this.silent || this.locked) return;
    this.reportedAt = now;
    this.#report(now);
  }

  /** @param {number} now */
  #report(now) {
    const spread = NOISE_M * Math.sqrt(1 - MEMORY ** 2);
    this.noise = [this.noise[0] * MEMORY + gauss() * spread, this.noise[1] * MEMORY + gauss() * spread];
    const { lat, lng } = this.fence.latLng(this.at[0] + this.noise[0], this.at[1] + this.noise[1]);
    this.report({ lat, lng, accuracyM: ACCURACY_M, basis: "p95", level: this.level, source: "sim", mocked: false, capturedAt: now });
  }
}

function gauss() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
