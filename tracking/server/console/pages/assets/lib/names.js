// SPDX-License-Identifier: Apache-2.0

/**
 * Names on a floor plan: each inside its own area, none over another, none too small to be read.
 *
 * @typedef {[number, number]} Point
 * @typedef {Point[][][]} Shape  polygons of rings, in one unit for both directions
 * @typedef {{x: number, y: number, w: number}} Room  a middle, and the width that is free there
 */

/** A box smaller than this, in pixels, says nothing. */
const LEAST = { w: 60, h: 18 };
const LINE = 16, APART = 4;
/** Of a name that is cut short, at least this share must be left. */
const WORTH = 0.6;
const SCANS = 11;

/** Places that nobody looks for, and those that are drawn but need no name. */
const DULL = /parking|void|shaft|structure/i;
const NAMELESS = /auxiliary|non-?public|vacant/i;

/** Whether a zone of this class is worth drawing. @param {string|undefined} kind */
export const isDrawn = (kind) => !DULL.test(kind ?? "");
/** Whether people know a zone of this class by its name. @param {string|undefined} kind */
export const isNamed = (kind) => isDrawn(kind) && !NAMELESS.test(kind ?? "");

/** What an SVG path draws of a shape. @param {Shape} shape in pixels */
export const outline = (shape) => shape.flatMap((polygon) => polygon.map((ring) => `M${ring.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L")}Z`)).join("");

/** Where a horizontal line lies inside a shape: pairs of ends, from the left. @param {Shape} shape @param {number} y @returns {Point[]} */
function spans(shape, y) {
  /** @type {number[]} */ const cuts = [];
  for (const ring of shape.flat()) {
    for (let i = 1; i < ring.length; i++) {
      const [ax, ay] = /** @type {Point} */ (ring[i - 1]), [bx, by] = /** @type {Point} */ (ring[i]);
      if (ay > y !== by > y) cuts.push(ax + ((y - ay) * (bx - ax)) / (by - ay));
    }
  }
  cuts.sort((a, b) => a - b);
  return cuts.flatMap((x, i) => (i % 2 ? [/** @type {Point} */ ([Number(cuts[i - 1]), x])] : []));
}

/**
 * The widest place for something of a given height, the middle being preferred; an L has its own inside
 * one of its legs, not in the corner that it does not have.
 * @param {Shape} shape @param {number} height @returns {Room}
 */
export function roomIn(shape, height) {
  const ys = shape.flat(2).map((p) => p[1]);
  const low = Math.min(...ys), middle = (low + Math.max(...ys)) / 2;
  /** @type {Room} */ let best = { x: shape[0]?.[0]?.[0]?.[0] ?? 0, y: middle, w: -1 };
  const tries = Array.from({ length: SCANS }, (_, i) => middle + (i % 2 ? 1 : -1) * Math.ceil(i / 2) * ((2 * (middle - low)) / (SCANS + 1)));
  for (const y of tries) {
    for (const [from, to] of spans(shape, y)) {
      const x = (from + to) / 2;
      let [left, right] = [from, to];
      for (const edge of height > 0 ? [y - height / 2, y + height / 2] : []) {
        const [l, r] = spans(shape, edge).find(([l, r]) => l <= x && x <= r) ?? [x, x];
        [left, right] = [Math.max(left, l), Math.min(right, r)];
      }
      if (right - left > best.w * 1.05) best = { x: (left + right) / 2, y, w: right - left };
    }
  }
  return best;
}

/** @param {Shape} shape */
function tooSmall(shape) {
  let [left, right, top, foot] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [x, y] of shape.flat(2)) [left, right, top, foot] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(foot, y)];
  return right - left < LEAST.w || foot - top < LEAST.h;
}

/** The page's fonts: asked once, since asking makes the browser work out every style. */
let family = "";

/** Places names on one floor; shapes and results are in pixels. */
export class Names {
  /** @param {number} size of the letters, in pixels */
  constructor(size) {
    family ||= getComputedStyle(document.body).fontFamily;
    const pen = document.createElement("canvas").getContext("2d");
    if (pen) pen.font = `550 ${size}px ${family}`;
    this.width = (/** @type {string} */ s) => pen?.measureText(s).width ?? s.length * size * 0.6;
    /** @type {{x: number, y: number, w: number, h: number}[]} */ this.taken = [];
  }

  /**
   * Where a name goes and in which lines, or null if it does not fit or another one is there.
   * @param {Shape} shape @param {string} name @returns {{x: number, y: number, lines: string[]}|null}
   */
  put(shape, name) {
    if (tooSmall(shape)) return null; // most zones of a mall: they cost nothing
    for (const lines of [[name], halves(name)]) {
      const h = Math.max(LEAST.h, lines.length * LINE);
      const { x, y, w } = roomIn(shape, h);
      if (lines.length === 0 || w < LEAST.w || !this.#fits(lines, w) || this.#collides(x, y, lines, h)) continue;
      return this.#take(x, y, lines, h);
    }
    const { x, y, w } = roomIn(shape, LEAST.h);
    const short = w < LEAST.w ? "" : this.#shortened(name, w);
    return short && !this.#collides(x, y, [short], LEAST.h) ? this.#take(x, y, [short], LEAST.h) : null;
  }

  /** @param {string[]} lines @param {number} w */
  #fits(lines, w) { return lines.every((l) => this.width(l) <= w - 2 * APART); }

  /** @param {string} name @param {number} w */
  #shortened(name, w) {
    const letters = [...name];
    for (let n = letters.length - 1; n >= letters.length * WORTH; n--) {
      const short = `${letters.slice(0, n).join("").trimEnd()}…`;
      if (this.#fits([short], w)) return short;
    }
    return "";
  }

  /** @param {number} x @param {number} y @param {string[]} lines @param {number} h */
  #box(x, y, lines, h) {
    const w = Math.max(...lines.map(this.width)) + 2 * APART;
    return { x: x - w / 2, y: y - h / 2, w, h };
  }

  /** @param {number} x @param {number} y @param {string[]} lines @param {number} h */
  #collides(x, y, lines, h) {
    const a = this.#box(x, y, lines, h);
    return this.taken.some((b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h);
  }

  /** @param {number} x @param {number} y @param {string[]} lines @param {number} h */
  #take(x, y, lines, h) {
    this.taken.push(this.#box(x, y, lines, h));
    return { x, y, lines };
  }
}

/** The vertical place of each line around a middle. @param {number} i @param {number} n */
export const lineAt = (i, n) => (i - (n - 1) / 2) * LINE;

/** A name in two lines of about the same length; nothing if it is one word. @param {string} name @returns {string[]} */
function halves(name) {
  const words = name.split(" ");
  if (words.length < 2) return [];
  const cuts = words.slice(1).map((_, i) => [words.slice(0, i + 1).join(" "), words.slice(i + 1).join(" ")]);
  const longest = (/** @type {string[]} */ lines) => Math.max(...lines.map((l) => l.length));
  return cuts.reduce((best, c) => (longest(c) < longest(best) ? c : best));
}
