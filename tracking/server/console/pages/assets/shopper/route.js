// SPDX-License-Identifier: Apache-2.0

import { contains } from "/assets/sdk/src/index.js";

/**
 * Ways that a person could take: inside along the walls' corners, from outside through a door.
 * All in the fence's local metres, on one level.
 *
 * @typedef {[number, number]} Point
 * @typedef {import("/assets/sdk/src/index.js").Fence} Fence
 */

/** How far from a corner people walk, and how finely a straight line is tried. */
const BERTH_M = 1.5, STEP_M = 0.75, CORNERS_MOST = 60;

export class Ways {
  /** @param {Fence} fence */
  constructor(fence) {
    this.fence = fence;
    /** @type {Map<number, {shape: Point[][][], corners: Point[]}>} */
    this.levels = new Map(fence.levels.map((l) => {
      const shape = l.boundary.map((polygon) => polygon.map((ring) => ring.map(([lng, lat]) => fence.xy(lat, lng))));
      return [l.ordinal, { shape, corners: corners(shape) }];
    }));
    this.doors = fence.doors.map((d) => ({ level: d.level, at: fence.xy(d.at[1], d.at[0]) }));
    if (this.doors.length === 0) this.doors.push({ level: this.ground, at: this.#anyDoor() });
  }

  /** The level with doors, else the lowest that is not below the ground. */
  get ground() {
    const { doors, levels } = this.fence;
    return doors[0]?.level ?? (levels.find((l) => l.ordinal >= 0) ?? levels.at(-1))?.ordinal ?? 0;
  }

  /** @param {Point} p @param {number} level */
  inside(p, level) { return contains(this.levels.get(level)?.shape ?? [], p[0], p[1]); }

  /** The way from one point to another, without the first. @param {Point} from @param {Point} to @param {number} level @returns {Point[]} */
  way(from, to, level) {
    const [a, b] = [this.inside(from, level), this.inside(to, level)];
    if (a && b) return this.#within(from, to, level);
    const door = this.nearestDoor(a ? from : b ? to : from);
    const mat = this.outsideOf(door, 1.5);
    if (a) return [...this.#within(from, door, level), mat, to];
    if (b) return [mat, door, ...this.#within(door, to, level)];
    return [to];
  }

  /** @param {Point} p @returns {Point} */
  nearestDoor(p) {
    return this.doors.map((d) => d.at).reduce((best, d) => (distance(d, p) < distance(best, p) ? d : best));
  }

  /** A point so many metres straight out of a door. @param {Point} door @param {number} m @returns {Point} */
  outsideOf(door, m) {
    const [nx, ny] = this.#outward(door);
    return [door[0] + nx * m, door[1] + ny * m];
  }

  /** The direction out of a door: square to the nearest wall. @param {Point} door @returns {Point} */
  #outward(door) {
    let best = { d: Infinity, n: /** @type {Point} */ ([0, 1]) };
    for (const ring of this.levels.get(this.ground)?.shape.flat() ?? []) {
      for (let i = 1; i < ring.length; i++) {
        const a = /** @type {Point} */ (ring[i - 1]), b = /** @type {Point} */ (ring[i]);
        const d = toSegment(door, a, b), len = distance(a, b) || 1;
        if (d < best.d) best = { d, n: [(b[1] - a[1]) / len, -(b[0] - a[0]) / len] };
      }
    }
    const { n } = best;
    return this.inside([door[0] + n[0] * 2, door[1] + n[1] * 2], this.ground) ? [-n[0], -n[1]] : n;
  }

  /** The middle of the first wall, for a map without doors. @returns {Point} */
  #anyDoor() {
    const ring = this.levels.get(this.ground)?.shape[0]?.[0] ?? [];
    const [a = [0, 0], b = [0, 0]] = ring;
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  }

  /** The shortest way that stays inside (Dijkstra over the inner corners). @param {Point} from @param {Point} to @param {number} level @returns {Point[]} */
  #within(from, to, level) {
    if (this.#clear(from, to, level)) return [to];
    const nodes = [from, to, ...(this.levels.get(level)?.corners ?? [])];
    const cost = nodes.map(() => Infinity), back = nodes.map(() => -1), done = nodes.map(() => false);
    cost[0] = 0;
    for (;;) {
      let i = -1;
      cost.forEach((c, k) => { if (!done[k] && c < Infinity && (i < 0 || c < Number(cost[i]))) i = k; });
      if (i < 0 || i === 1) break;
      done[i] = true;
      nodes.forEach((p, k) => {
        const q = /** @type {Point} */ (nodes[i]);
        const c = Number(cost[i]) + distance(q, p);
        if (!done[k] && c < Number(cost[k]) && this.#clear(q, p, level)) {
          cost[k] = c;
          back[k] = i;
        }
      });
    }
    if (cost[1] === Infinity) return [to];
    /** @type {Point[]} */ const path = [];
    for (let k = 1; k > 0; k = Number(back[k])) path.unshift(/** @type {Point} */ (nodes[k]));
    return path;
  }

  /** @param {Point} a @param {Point} b @param {number} level */
  #clear(a, b, level) {
    const n = Math.ceil(distance(a, b) / STEP_M);
    for (let i = 1; i < n; i++) {
      const k = i / n;
      if (!this.inside([a[0] + (b[0] - a[0]) * k, a[1] + (b[1] - a[1]) * k], level)) return false;
    }
    return true;
  }
}

/** Points a little inside each corner that a straight way could catch on. @param {Point[][][]} shape @returns {Point[]} */
function corners(shape) {
  /** @type {Point[]} */ const found = [];
  for (const ring of shape.flat()) {
    for (let i = 0; i < ring.length - 1; i++) {
      const [x, y] = /** @type {Point} */ (ring[i]);
      for (const [dx, dy] of [[1, 1], [1, -1], [-1, 1], [-1, -1], [1.4, 0], [-1.4, 0], [0, 1.4], [0, -1.4]]) {
        const p = /** @type {Point} */ ([x + Number(dx) * BERTH_M, y + Number(dy) * BERTH_M]);
        if (contains(shape, p[0], p[1])) found.push(p);
      }
    }
  }
  return found.length > CORNERS_MOST * 4 ? [] : found;
}

/** @param {Point} a @param {Point} b */
export const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** @param {Point} p @param {Point} a @param {Point} b */
function toSegment(p, a, b) {
  const dx = b[0] - a[0], dy = b[1] - a[1];
  const k = Math.min(1, Math.max(0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(p[0] - a[0] - k * dx, p[1] - a[1] - k * dy);
}
