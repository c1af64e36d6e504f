// SPDX-License-Identifier: Apache-2.0

import { attribute, h, s, text } from "../lib/dom.js";
import { Names, isDrawn, isNamed, lineAt, outline } from "../lib/names.js";

/**
 * The store as the phone knows it, turned to its long side, with the walker on it. Clicking walks.
 * @typedef {import("./route.js").Point} Point
 */
const AROUND_M = 12, ACCURACY_M = 6;
/** In pixels: letters, and what must be seen however large the store is. */
const LETTER = 12, CORE = 6, HALO_LEAST = 12, DOOR = 4;

export class Floor {
  /** @param {import("./walker.js").Walker} walker @param {import("../lib/i18n.js").Words} words */
  constructor(walker, words) {
    this.walker = walker;
    this.words = words;
    this.fence = walker.fence;
    const turn = (this.fence.bearing * Math.PI) / 180;
    this.cos = Math.cos(turn);
    this.sin = Math.sin(turn);
    this.svg = s("svg", { class: "floor", role: "img", aria: { label: this.fence.name }, data: { testid: "floor" }, onclick: (/** @type {MouseEvent} */ e) => this.#click(e) });
    this.way = s("polyline", { class: "way" });
    this.halo = s("circle", { class: "halo" });
    this.core = s("circle", { class: "core", r: CORE });
    this.me = s("g", { class: "me", data: { testid: "me" } }, this.halo, this.core);
    this.place = h("p", { class: "place small muted", data: { testid: "place" } });
    this.el = h("figure", { class: "plan" }, this.svg, h("figcaption", {}, this.place));
    this.level = NaN;
    this.scale = 1;
    this.left = this.top = 0;
    this.box = this.#measure();
    this.el.style.setProperty("--ratio", `${this.box.w.toFixed(1)} / ${this.box.h.toFixed(1)}`);
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  /** Drawing metres of a point: turned so that the long side lies flat, y downwards. @param {Point} p @returns {Point} */
  to([x, y]) { return [x * this.sin + y * this.cos, x * this.cos - y * this.sin]; }

  /** @param {Point} p @returns {Point} */
  from([u, v]) { return [u * this.sin + v * this.cos, u * this.cos - v * this.sin]; }

  /** The box that holds all levels, so that none jumps when another is chosen. */
  #measure() {
    const all = this.fence.levels.flatMap((l) => l.boundary.flat(2)).map(([lng, lat]) => this.to(this.fence.xy(lat, lng)));
    const us = all.map((p) => p[0]), vs = all.map((p) => p[1]);
    return { u: Math.min(...us) - AROUND_M, v: Math.min(...vs) - AROUND_M, w: Math.max(...us) - Math.min(...us) + 2 * AROUND_M, h: Math.max(...vs) - Math.min(...vs) + 2 * AROUND_M };
  }

  /** Pixels of a point in the fence's metres. @param {Point} p @returns {Point} */
  px(p) {
    const [u, v] = this.to(p);
    return [(u - this.box.u) * this.scale + this.left, (v - this.box.v) * this.scale + this.top];
  }

  /** Draws what stays: outline, zones, names, doors. Sizes are in pixels, so that a mall can be read as a shop can. */
  draw() {
    const { clientWidth: w, clientHeight: hgt } = this.svg;
    const level = this.fence.levels.find((l) => l.ordinal === this.walker.level);
    if (!level || w === 0 || hgt === 0) return;
    this.level = this.walker.level;
    this.scale = Math.min(w / this.box.w, hgt / this.box.h);
    this.left = (w - this.box.w * this.scale) / 2;
    this.top = (hgt - this.box.h * this.scale) / 2;
    attribute(this.svg, "viewBox", `0 0 ${w} ${hgt}`);
    attribute(this.svg, "aria-label", `${this.fence.name}, ${level.name}`);
    const zones = this.fence.zones.filter((z) => z.level === this.level && isDrawn(z.class)).map((z) => ({ z, shape: this.#pixels(z.shape) }));
    const names = new Names(LETTER);
    this.svg.replaceChildren(
      s("path", { class: "store", d: outline(this.#pixels(level.boundary)) }),
      ...zones.map(({ z, shape }) => s("path", { class: z.sensitive ? "zone sensitive" : "zone", d: outline(shape) }, z.name && !z.sensitive ? s("title", {}, z.name) : null)),
      ...zones.flatMap(({ z, shape }) => this.#name(z, shape, names)),
      ...this.fence.doors.filter((d) => d.level === this.level).map((d) => {
        const [x, y] = this.px(this.fence.xy(d.at[1], d.at[0]));
        return s("circle", { class: "door", cx: x, cy: y, r: DOOR }, s("title", {}, d.name));
      }),
      this.way, this.me);
    attribute(this.halo, "r", Math.max(HALO_LEAST, ACCURACY_M * this.scale).toFixed(1));
    this.move();
  }

  /** @param {[number, number][][][]} shape in degrees @returns {Point[][][]} */
  #pixels(shape) { return shape.map((polygon) => polygon.map((ring) => ring.map(([lng, lat]) => this.px(this.fence.xy(lat, lng))))); }

  /** @param {import("/assets/sdk/src/fence.js").FenceZone} z @param {Point[][][]} shape @param {Names} names */
  #name(z, shape, names) {
    const label = z.sensitive || !z.name || !isNamed(z.class) ? null : names.put(shape, z.name);
    if (!label) return [];
    const { x, y, lines } = label;
    return lines.map((line, i) => s("text", { x, y: y + lineAt(i, lines.length), "text-anchor": "middle", "dominant-baseline": "central" }, line));
  }

  /** Draws what moves, and says it in words. */
  move() {
    if (this.level !== this.walker.level) {
      this.draw();
      return;
    }
    const [x, y] = this.px(this.walker.at);
    const { clientWidth: w, clientHeight: hgt } = this.svg;
    const inside = (/** @type {number} */ v, /** @type {number} */ most) => Math.min(most - CORE - 2, Math.max(CORE + 2, v)).toFixed(1);
    attribute(this.me, "transform", `translate(${inside(x, w)} ${inside(y, hgt)})`);
    attribute(this.way, "points", [this.walker.at, ...this.walker.path].map((p) => this.px(p).map((v) => v.toFixed(1)).join(",")).join(" "));
    text(this.place, this.words.t("you_are", { place: this.#where() }));
  }

  #where() {
    const { at, level, inside } = this.walker;
    if (!inside) return this.words.t("where_out");
    const { lat, lng } = this.fence.latLng(...at);
    const name = this.fence.levels.find((l) => l.ordinal === level)?.name ?? "";
    const zone = this.fence.zoneAt(lat, lng, level);
    return [zone && !zone.sensitive && isNamed(zone.class) ? zone.name : "", name].filter(Boolean).join(" · ");
  }

  /** @param {MouseEvent} e */
  #click(e) {
    const m = this.svg.getScreenCTM();
    if (!m) return;
    const p = new DOMPoint(e.clientX, e.clientY).matrixTransform(m.inverse());
    this.walker.walkTo(this.from([(p.x - this.left) / this.scale + this.box.u, (p.y - this.top) / this.scale + this.box.v]));
  }
}
