// SPDX-License-Identifier: Apache-2.0

import { attribute, h, s } from "../lib/dom.js";

/**
 * The store as the phone knows it, turned to its long side, with the walker on it. Clicking walks.
 * @typedef {import("./route.js").Point} Point
 */
const AROUND_M = 12;
/** Letters in metres: their height, and the width that one takes on average. */
const LETTER_M = 2, WIDTH_M = 1.15;

export class Floor {
  /** @param {import("./walker.js").Walker} walker */
  constructor(walker) {
    this.walker = walker;
    this.fence = walker.fence;
    const turn = (this.fence.bearing * Math.PI) / 180;
    this.cos = Math.cos(turn);
    this.sin = Math.sin(turn);
    this.svg = s("svg", { class: "floor", role: "application", aria: { label: this.fence.name }, data: { testid: "floor" }, onclick: (/** @type {MouseEvent} */ e) => this.#click(e) });
    this.way = s("polyline", { class: "way" });
    this.me = s("g", { class: "me" }, s("circle", { class: "halo", r: 6 }), s("circle", { class: "core", r: 1.3 }));
    this.el = h("div", { class: "plan" }, this.svg);
    this.level = NaN;
    this.draw();
  }

  /** Drawing coordinates of a point: turned so that the long side lies flat, y downwards. @param {Point} p @returns {Point} */
  to([x, y]) { return [x * this.sin + y * this.cos, x * this.cos - y * this.sin]; }

  /** @param {Point} p @returns {Point} */
  from([u, v]) { return [u * this.sin + v * this.cos, u * this.cos - v * this.sin]; }

  draw() {
    this.level = this.walker.level;
    const level = this.fence.levels.find((l) => l.ordinal === this.level);
    if (!level) return;
    const at = (/** @type {[number, number]} */ [lng, lat]) => this.to(this.fence.xy(lat, lng));
    const path = (/** @type {[number, number][][][]} */ shape) => shape.flatMap((polygon) => polygon.map((ring) => `M${ring.map((p) => at(p).map((v) => v.toFixed(2)).join(" ")).join("L")}Z`)).join("");
    const all = this.fence.levels.flatMap((l) => l.boundary.flat(2)).map(at);
    const us = all.map((p) => p[0]), vs = all.map((p) => p[1]);
    const [minU, minV] = [Math.min(...us) - AROUND_M, Math.min(...vs) - AROUND_M];
    const [w, hgt] = [Math.max(...us) + AROUND_M - minU, Math.max(...vs) + AROUND_M - minV];
    attribute(this.svg, "viewBox", `${minU} ${minV} ${w} ${hgt}`);
    this.bounds = { minU, minV, maxU: minU + w, maxV: minV + hgt };
    this.svg.replaceChildren(
      s("path", { class: "store", d: path(level.boundary) }),
      ...this.fence.zones.filter((z) => z.level === this.level).flatMap((z) => {
        const [u, v] = at(z.at);
        const corners = z.shape.flat(2).map(at);
        const [us, vs] = [corners.map((p) => p[0]), corners.map((p) => p[1])];
        const room = { w: Math.max(...us) - Math.min(...us) - 1, h: Math.max(...vs) - Math.min(...vs) - 1 };
        return [s("path", { class: z.sensitive ? "zone sensitive" : "zone", d: path(z.shape) }), ...names(z.name, u, v, room)];
      }),
      ...this.fence.doors.filter((d) => d.level === this.level).map((d) => {
        const [u, v] = at(d.at);
        return s("circle", { class: "door", cx: u, cy: v, r: 1.1 }, s("title", {}, d.name));
      }),
      this.way, this.me);
    this.move();
  }

  /** Draws what moves. */
  move() {
    if (this.level !== this.walker.level) {
      this.draw();
      return;
    }
    const [u, v] = this.to(this.walker.at);
    const b = this.bounds;
    if (!b) return;
    const [cu, cv] = [Math.min(b.maxU - 2, Math.max(b.minU + 2, u)), Math.min(b.maxV - 2, Math.max(b.minV + 2, v))];
    attribute(this.me, "transform", `translate(${cu.toFixed(2)} ${cv.toFixed(2)})`);
    attribute(this.way, "points", [this.walker.at, ...this.walker.path].map((p) => this.to(p).map((x) => x.toFixed(2)).join(",")).join(" "));
  }

  /** @param {MouseEvent} e */
  #click(e) {
    const m = this.svg.getScreenCTM();
    if (!m) return;
    const p = new DOMPoint(e.clientX, e.clientY).matrixTransform(m.inverse());
    this.walker.walkTo(this.from([p.x, p.y]));
  }
}

/**
 * A name in one line or two, or not at all if it does not fit.
 * @param {string} name @param {number} u @param {number} v @param {{w: number, h: number}} room
 */
function names(name, u, v, room) {
  const words = name.split(" ");
  const cut = Math.ceil(words.length / 2);
  const fits = (/** @type {string[]} */ lines) => lines.length * LETTER_M * 1.25 <= room.h && lines.every((l) => [...l].length * WIDTH_M <= room.w);
  const lines = [[name], [words.slice(0, cut).join(" "), words.slice(cut).join(" ")].filter(Boolean)].find(fits) ?? [];
  return lines.map((line, i) => s("text", { x: u, y: v + (i - (lines.length - 1) / 2) * LETTER_M * 1.25, "text-anchor": "middle", "dominant-baseline": "central" }, line));
}
