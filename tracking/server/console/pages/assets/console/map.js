// SPDX-License-Identifier: Apache-2.0

import { attribute, data, h, s, show, text } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { Names, isDrawn, isNamed, lineAt, outline, roomIn } from "../lib/names.js";
import { KIND_SHAPES, shape, shapePath } from "../lib/word.js";

/**
 * The store's floor in local metres, turned to its long side: there is no latitude in this page.
 *
 * @typedef {[number, number][][][]} Shape
 * @typedef {{id: string, name: string, class?: string, sensitive?: boolean, area_m2: number, shape: Shape}} MapZone
 * @typedef {{ordinal: number, name: string, boundary: Shape, zones: MapZone[]}} MapLevel
 * @typedef {{levels: MapLevel[], doors: {name: string, level: number, at: [number, number]}[], size: [number, number, number, number]}} StoreMap
 */

/** Room around the floor: the switch stands at its start, the zoom at its end, the legend below. */
const MARGIN = 28, ASIDE = 76, BELOW = 64, ZOOMER = 160;
const ZOOMS = [1, 1.5, 2.25, 3.4, 5];
const OLD_MS = 5_000, JUMP_M = 10;
const LETTER = 13;
/** Nobody waits for anybody here. */
const PASSED = new Set(["elevator", "escalator", "stairs", "ramp"]);

export class FloorMap {
  /** @param {import("../lib/i18n.js").Words} words @param {() => void} changed */
  constructor(words, changed) {
    this.words = words;
    this.changed = changed;
    /** @type {StoreMap|null} */ this.map = null;
    /** @type {number|null} */ this.level = null;
    this.zoom = 0;
    this.scale = 1;
    this.left = this.top = this.minX = this.maxY = 0;
    /** @type {Map<string, SVGElement>} */ this.zones = new Map();
    /** @type {Map<string, [number, number]>} where the badge of a zone with a name stands, clear of it */ this.spots = new Map();
    /** @type {Map<string, {el: SVGGElement, x: number, y: number}>} */ this.dots = new Map();
    this.ground = s("g");
    this.over = s("g");
    this.svg = s("svg", { class: "floor", role: "img" }, this.ground, this.over);
    this.scroller = h("div", { class: "ground", tabindex: -1 }, this.svg);
    this.levels = h("div", { class: "levels", role: "group", aria: { label: words.t("levels") } });
    this.failed = h("p", { class: "failed", hidden: true }, words.t("map_failed"));
    this.el = h("section", { class: "map", aria: { label: words.t("map") }, data: { testid: "map" } },
      this.scroller, this.levels, this.#zoomer(), this.#legend(), this.failed);
    new ResizeObserver(() => this.#draw()).observe(this.scroller);
  }

  #zoomer() {
    /** @param {"plus"|"minus"|"fit"} name @param {string} label @param {() => void} f */
    const b = (name, label, f) => h("button", { class: "icon", type: "button", aria: { label: this.words.t(label) }, title: this.words.t(label), onclick: f }, icon(name));
    return h("div", { class: "zoomer" }, b("plus", "zoom_in", () => this.#zoomTo(this.zoom + 1)), b("minus", "zoom_out", () => this.#zoomTo(this.zoom - 1)), b("fit", "fit", () => this.fit()));
  }

  #legend() {
    return h("ul", { class: "legend", aria: { label: this.words.t("legend") } },
      ...Object.entries(KIND_SHAPES).map(([kind, sign]) => h("li", { data: { kind } }, shape(sign), this.words.t(kind))));
  }

  /** @param {StoreMap|null} map */
  set(map) {
    this.map = map;
    show(this.failed, map === null);
    // Where people come in: the lowest level that is not below the ground.
    this.level = (map?.levels.find((l) => l.ordinal >= 0) ?? map?.levels.at(-1))?.ordinal ?? null;
    this.levels.replaceChildren(...(map?.levels ?? []).slice().reverse().map((l) => h("button", {
      type: "button", data: { level: l.ordinal, testid: "level" }, onclick: () => this.choose(l.ordinal), title: l.name,
    }, h("span", {}, l.name || String(l.ordinal)), h("span", { class: "count" }))));
    show(this.levels, (map?.levels.length ?? 0) > 1);
    this.#draw();
  }

  /** @param {number|null|undefined} ordinal */
  choose(ordinal) {
    if (ordinal === null || ordinal === undefined || ordinal === this.level || !this.map?.levels.some((l) => l.ordinal === ordinal)) return;
    this.level = ordinal;
    this.#draw();
    this.changed();
  }

  /** @param {number} ordinal @returns {string} the level's own name, "" if the map does not know it */
  levelName(ordinal) { return this.map?.levels.find((l) => l.ordinal === ordinal)?.name ?? ""; }

  /** @param {string} id */
  zoneName(id) {
    for (const l of this.map?.levels ?? []) for (const z of l.zones) if (z.id === id) return z.name || id;
    return id;
  }

  /** Where people can be asked to come, level by level. @returns {{level: string, zones: {id: string, name: string}[]}[]} */
  desks() {
    return (this.map?.levels ?? []).map((l) => ({
      level: l.name, zones: l.zones.filter((z) => !z.sensitive && z.name && isNamed(z.class) && !PASSED.has(z.class ?? "")).map(({ id, name }) => ({ id, name })).sort((a, b) => a.name.localeCompare(b.name, this.words.lang)),
    })).filter((l) => l.zones.length > 0);
  }

  /** The level by its place from below, 1 for the lowest. @param {number} nth */
  chooseNth(nth) { this.choose(this.map?.levels[nth - 1]?.ordinal); }

  fit() { this.#zoomTo(0); }

  /** @param {number} zoom */
  #zoomTo(zoom) {
    const { scroller } = this;
    const before = ZOOMS[this.zoom] ?? 1;
    this.zoom = Math.min(ZOOMS.length - 1, Math.max(0, zoom));
    const k = (ZOOMS[this.zoom] ?? 1) / before;
    const [cx, cy] = [scroller.scrollLeft + scroller.clientWidth / 2, scroller.scrollTop + scroller.clientHeight / 2];
    this.#draw();
    scroller.scrollTo(cx * k - scroller.clientWidth / 2, cy * k - scroller.clientHeight / 2);
    this.changed();
  }

  /** Pixels of a point in metres; y grows upward there and downward here. @param {number} x @param {number} y @returns {[number, number]} */
  px(x, y) { return [this.left + (x - this.minX) * this.scale, this.top + (this.maxY - y) * this.scale]; }

  /** Draws what stays: outline, zones, names, doors. */
  #draw() {
    const level = this.map?.levels.find((l) => l.ordinal === this.level);
    const w = this.scroller.clientWidth, hgt = this.scroller.clientHeight;
    const beside = { w: this.levels.offsetWidth, h: this.levels.offsetHeight }; // all is measured before anything is changed
    this.ground.replaceChildren();
    this.over.replaceChildren();
    this.zones.clear();
    this.spots.clear();
    this.dots.clear();
    for (const b of this.levels.querySelectorAll("button")) attribute(b, "aria-pressed", String(b.dataset.level === String(this.level)));
    if (!this.map || !level || w === 0 || hgt === 0) return;
    const k = ZOOMS[this.zoom] ?? 1;
    const [minX, minY, maxX, maxY] = this.map.size;
    this.minX = minX;
    this.maxY = maxY;
    this.#place(w * k, hgt * k, maxX - minX, maxY - minY, beside);
    attribute(this.svg, "width", w * k);
    attribute(this.svg, "height", hgt * k);
    this.ground.append(s("path", { class: "store", d: outline(this.#pixels(level.boundary)) }));
    const drawn = level.zones.filter((z) => isDrawn(z.class)).sort((a, b) => b.area_m2 - a.area_m2).map((z) => ({ z, shape: this.#pixels(z.shape) }));
    const names = new Names(LETTER);
    for (const { z, shape } of drawn) {
      const el = s("path", { class: z.sensitive ? "zone sensitive" : "zone", d: outline(shape) });
      this.zones.set(z.id, el);
      this.ground.append(el);
    }
    for (const { z, shape } of drawn) this.#label(z, shape, names);
    for (const d of this.map.doors.filter((d) => d.level === level.ordinal)) {
      const [x, y] = this.px(...d.at);
      this.ground.append(s("circle", { class: "door", cx: x, cy: y, r: 5 }, s("title", {}, d.name)));
    }
    this.changed();
  }

  /**
   * Finds the larger of two fits: beside the level switch, or below it.
   * @param {number} w @param {number} h @param {number} width of the store, metres @param {number} height
   * @param {{w: number, h: number}} beside  the level switch, nothing if it is hidden
   */
  #place(w, h, width, height, beside) {
    const sw = beside.w && beside.w + 16, sh = beside.h && beside.h + 16;
    const small = w < 600 ? MARGIN : ASIDE;
    const rtl = document.documentElement.dir === "rtl";
    const below = Math.max(MARGIN, sh + 20);
    const fits = [{ start: Math.max(MARGIN, sw + 20), top: MARGIN, end: small }, { start: MARGIN, top: below, end: below > ZOOMER ? MARGIN : small }]
      .map((f) => ({ ...f, scale: Math.min((w - f.start - f.end) / width, (h - f.top - BELOW) / height) }))
      .sort((a, b) => b.scale - a.scale);
    const best = /** @type {{start: number, top: number, end: number, scale: number}} */ (fits[0]);
    const left = rtl ? best.end : best.start, right = rtl ? best.start : best.end;
    this.scale = Math.max(0.1, best.scale);
    this.left = left + (w - left - right - width * this.scale) / 2;
    this.top = best.top + (h - best.top - BELOW - height * this.scale) / 2;
  }

  /** @param {Shape} shape @returns {Shape} */
  #pixels(shape) { return shape.map((polygon) => polygon.map((ring) => ring.map(([x, y]) => this.px(x, y)))); }

  /** @param {MapZone} z @param {Shape} shape in pixels @param {Names} names */
  #label(z, shape, names) {
    const label = z.sensitive || !z.name || !isNamed(z.class) ? null : names.put(shape, z.name);
    if (!label) return;
    const { x, y, lines } = label;
    this.spots.set(z.id, [x, y - 26 - lineAt(lines.length - 1, lines.length)]);
    this.ground.append(s("text", { class: "name", x, y, "dominant-baseline": "central", "text-anchor": "middle" },
      ...lines.map((line, i) => s("tspan", { x, y: y + lineAt(i, lines.length) }, line))));
  }

  /**
   * Draws what changes: who waits where, and whom this person may see.
   * @param {import("./board.js").Board} board @param {number} now monotonic @param {string|null} selected
   */
  render(board, now, selected) {
    if (!this.map) return;
    const zones = board.byZone();
    this.#strokes(zones, selected);
    this.#badges(zones);
    this.#people(board, now);
    /** @type {Map<number, number>} */ const perLevel = new Map();
    for (const { zone, items } of zones.values()) perLevel.set(zone.level ?? 0, (perLevel.get(zone.level ?? 0) ?? 0) + items.length);
    for (const b of this.levels.querySelectorAll("button")) {
      const n = perLevel.get(Number(b.dataset.level)) ?? 0;
      text(/** @type {Element} */ (b.lastElementChild), n ? this.words.number.format(n) : "");
    }
    const level = this.map.levels.find((l) => l.ordinal === this.level);
    attribute(this.svg, "aria-label", this.words.t("floor_map", { level: level?.name ?? "", n: perLevel.get(this.level ?? 0) ?? 0 }));
  }

  /** Draws those who move. Whoever is seen now is in no zone's count any more, which the next render knows. @param {import("./board.js").Board} board @param {number} now */
  move(board, now) {
    if (this.map) this.#people(board, now);
  }

  /** @param {ReturnType<import("./board.js").Board["byZone"]>} zones @param {string|null} selected */
  #strokes(zones, selected) {
    for (const [id, el] of this.zones) {
      const here = zones.get(id);
      data(el, "kind", here?.items[0]?.kind);
      data(el, "likely", here?.zone.likely ? "1" : null);
      data(el, "selected", here?.items.some((i) => i.key === selected) ? "1" : null);
    }
  }

  /** @param {ReturnType<import("./board.js").Board["byZone"]>} zones */
  #badges(zones) {
    for (const el of [...this.over.querySelectorAll(".badge")]) el.remove();
    const level = this.map?.levels.find((l) => l.ordinal === this.level);
    for (const { zone, items } of zones.values()) {
      const z = level?.zones.find((z) => z.id === zone.id);
      const first = items[0];
      if (!z || !first) continue;
      if (!this.spots.has(zone.id)) this.spots.set(zone.id, this.px(...middle(z.shape)));
      const [x, y] = /** @type {[number, number]} */ (this.spots.get(zone.id));
      const many = items.length > 1;
      this.over.prepend(s("g", { class: "badge", data: { kind: first.kind }, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
        s("rect", { x: many ? -22 : -14, y: -14, width: many ? 44 : 28, height: 28, rx: 14 }),
        s("path", { d: shapePath(KIND_SHAPES[first.kind] ?? "⬡"), transform: `translate(${many ? -16 : -7} -7) scale(.875)` }),
        many ? s("text", { x: 9, y: 0, "dominant-baseline": "central", "text-anchor": "middle" }, String(items.length)) : null));
    }
  }

  /** @param {import("./board.js").Board} board @param {number} now */
  #people(board, now) {
    for (const [key, { el }] of this.dots) {
      if (board.dots.has(key) && this.#here(/** @type {any} */ (board.dots.get(key)))) continue;
      el.remove();
      this.dots.delete(key);
    }
    for (const dot of board.dots.values()) if (this.#here(dot)) this.#person(dot, now);
  }

  /** @param {import("./board.js").Dot} dot */
  #here(dot) { return dot.level === null || dot.level === this.level; }

  /** @param {import("./board.js").Dot} dot @param {number} now */
  #person(dot, now) {
    let held = this.dots.get(dot.key);
    const made = !held;
    if (!held) {
      const el = s("g", { class: "dot", data: { testid: "dot", alert: dot.id, kind: dot.kind } },
        s("circle", { class: "disc", r: 0 }),
        s("path", { class: "mark", d: shapePath(KIND_SHAPES[dot.kind] ?? "⬡"), transform: "translate(-12 -12) scale(1.5)" }));
      held = { el, x: dot.x, y: dot.y };
      this.dots.set(dot.key, held);
      this.over.append(el);
    }
    const jump = made || Math.hypot(dot.x - held.x, dot.y - held.y) > JUMP_M;
    held.x = dot.x;
    held.y = dot.y;
    const [x, y] = this.px(dot.x, dot.y);
    held.el.style.transition = jump ? "none" : "";
    held.el.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    attribute(/** @type {Element} */ (held.el.firstElementChild), "r", (dot.accuracyM * this.scale).toFixed(1));
    data(held.el, "old", now - dot.at > OLD_MS ? "1" : null);
  }
}

/** Where a badge stands that has no name to keep clear of. @param {Shape} shape @returns {[number, number]} */
function middle(shape) {
  const { x, y } = roomIn(shape, 0);
  return [x, y];
}
