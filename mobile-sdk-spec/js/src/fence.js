// SPDX-License-Identifier: Apache-2.0

import { Cells } from "./cells.js";

/**
 * The store's outline as the phone holds it, and the phone's own judgement of a reading. It uses
 * the exact polygon alone: a phone judges one reading a second, and the cells that come with the
 * fence are for whoever must judge thousands and has an H3 library (see cells.js).
 *
 * @typedef {[number, number]} LngLat
 * @typedef {LngLat[][][]} MultiPolygon
 * @typedef {{ordinal: number, name: string, boundary: MultiPolygon}} FenceLevel
 * @typedef {{id: string, name: string, class: string, level: number, sensitive: boolean, shape: MultiPolygon, at: LngLat}} FenceZone  a sensitive one of a map has neither id nor name
 * @typedef {{name: string, level: number, at: LngLat}} FenceDoor
 * @typedef {"inside"|"edge"|"out"|"far"|"unknown"} Where
 */

/** Radii in metres: accuracy a reading needs, accuracy to enter, widest benefit of the doubt, far. */
export const JUDGE = { usableM: 50, enterM: 35, edgeM: 15, farM: 100 };

/** Metres per degree of longitude and latitude at a latitude, on the WGS 84 ellipsoid. @param {number} lat @returns {{kx: number, ky: number}} */
function metresPerDegree(lat) {
  const degree = Math.PI / 180, e2 = 0.00669437999014, sin = Math.sin(lat * degree);
  const w = Math.sqrt(1 - e2 * sin * sin);
  return { kx: (6_378_137 / w) * Math.cos(lat * degree) * degree, ky: ((6_378_137 * (1 - e2)) / w ** 3) * degree };
}

/** @param {number} lng @param {number} home @returns {number} the same longitude, within half a turn of home */
function nearTo(lng, home) {
  return lng - home > 180 ? lng - 360 : lng - home < -180 ? lng + 360 : lng;
}

export class Fence {
  /** @param {any} json the body of GET /v1/stores/{id}/fences/{version} */
  constructor(json) {
    /** @type {string} */ this.store = String(json.store);
    /** @type {string} */ this.name = String(json.name ?? json.store);
    /** @type {string} */ this.version = String(json.version);
    /** Degrees clockwise from north. */
    this.bearing = Number(json.bearing ?? 0);
    /** @param {any} shape */
    const degrees = (shape) => inDegrees(multi(shape), json.per_degree);
    const boundaries = json.levels.map((/** @type {any} */ l) => degrees(l.boundary));
    const [lng, lat] = firstPoint(boundaries);
    this.origin = { lng, lat, ...metresPerDegree(lat) };
    /** A store across the antimeridian is put in one piece. @param {LngLat} p @returns {LngLat} */
    const near = ([x, y]) => [nearTo(x, lng), y];
    /** @param {MultiPolygon} shape @returns {MultiPolygon} */
    const joined = (shape) => shape.map((polygon) => polygon.map((ring) => ring.map(near)));
    /** @type {FenceLevel[]} */
    this.levels = json.levels.map((/** @type {any} */ l, /** @type {number} */ i) => ({
      ordinal: l.ordinal, name: String(l.name || l.ordinal), boundary: joined(boundaries[i]),
    }));
    /** @type {FenceDoor[]} */
    this.doors = (json.doors ?? []).map(door).map((/** @type {FenceDoor} */ d) => ({ ...d, at: near(d.at) }));
    /** @type {FenceZone[]} */
    this.zones = (json.zones ?? []).map((/** @type {any} */ z) => zone(z, (shape) => joined(degrees(shape))));
    /** Null if it came without. */
    this.cells = json.cells ? new Cells(json.cells) : null;
  }

  /** Local metres, east and north of the first vertex. @param {number} lat @param {number} lng @returns {[number, number]} */
  xy(lat, lng) {
    return [(nearTo(lng, this.origin.lng) - this.origin.lng) * this.origin.kx, (lat - this.origin.lat) * this.origin.ky];
  }

  /** Degrees back from local metres. @param {number} x @param {number} y @returns {{lat: number, lng: number}} */
  latLng(x, y) {
    return { lat: this.origin.lat + y / this.origin.ky, lng: nearTo(this.origin.lng + x / this.origin.kx, 0) };
  }

  /** The levels that a reading could be on: the one it names, or all of them. @param {number|null} [level] */
  candidates(level) {
    const named = this.levels.filter((l) => l.ordinal === level);
    return named.length > 0 ? named : this.levels;
  }

  /** Signed metres to the boundary, negative inside; on the edge counts as inside. @param {number} lat @param {number} lng @param {number|null} [level] */
  distance(lat, lng, level) {
    lng = nearTo(lng, this.origin.lng);
    let best = Infinity;
    for (const l of this.candidates(level)) {
      const d = this.#edge(l.boundary, lat, lng);
      best = Math.min(best, contains(l.boundary, lng, lat) ? -d : d);
    }
    return best;
  }

  /**
   * What the phone makes of a reading. Only "inside" may ever be sent with coordinates.
   * @param {import("./types.js").Reading} reading @returns {{where: Where, distM: number}}
   */
  judge({ lat, lng, accuracyM, level }) {
    if (!(Math.abs(lat) <= 90 && Math.abs(lng) <= 180)) return { where: "unknown", distM: NaN };
    const distM = this.distance(lat, lng, level);
    if (!(accuracyM > 0 && accuracyM <= JUDGE.usableM)) return { where: "unknown", distM };
    if (distM <= 0) return { where: "inside", distM };
    if (distM > JUDGE.farM) return { where: "far", distM };
    return { where: distM > Math.min(accuracyM, JUDGE.edgeM) ? "out" : "edge", distM };
  }

  /** The smallest zone around a point, if any. @param {number} lat @param {number} lng @param {number|null} [level] @returns {FenceZone|null} */
  zoneAt(lat, lng, level) {
    lng = nearTo(lng, this.origin.lng);
    const levels = new Set(this.candidates(level).map((l) => l.ordinal));
    const found = this.zones.filter((z) => levels.has(z.level) && contains(z.shape, lng, lat));
    return found.sort((a, b) => area(a.shape) - area(b.shape))[0] ?? null;
  }

  /** In the plane that touches the ellipsoid at the point. @param {MultiPolygon} shape @param {number} lat @param {number} lng */
  #edge(shape, lat, lng) {
    const { kx, ky } = metresPerDegree(lat);
    let best = Infinity;
    for (const [[ax, ay], [bx, by]] of edges(shape)) {
      best = Math.min(best, toSegment([(ax - lng) * kx, (ay - lat) * ky], [(bx - lng) * kx, (by - lat) * ky]));
    }
    return best;
  }
}

/**
 * Those of several stores' fences that a reading is inside of. If they are more than one, the boundaries
 * overlap, and the shopper chooses (SPEC.md, P-6).
 * @param {Fence[]} fences @param {import("./types.js").Reading} reading
 */
export function around(fences, reading) {
  return fences.filter((fence) => fence.judge(reading).where === "inside");
}

/**
 * Whether a shape holds a point; the edge counts as inside. Even-odd over all rings, so a hole is
 * simply one more crossing.
 * @param {MultiPolygon} shape @param {number} x @param {number} y
 */
export function contains(shape, x, y) {
  let odd = false;
  for (const [[ax, ay], [bx, by]] of edges(shape)) {
    if (onSegment(x, y, ax, ay, bx, by)) return true;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

/** @param {number} x @param {number} y @param {number} ax @param {number} ay @param {number} bx @param {number} by */
function onSegment(x, y, ax, ay, bx, by) {
  const cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
  return cross === 0 && x >= Math.min(ax, bx) && x <= Math.max(ax, bx) && y >= Math.min(ay, by) && y <= Math.max(ay, by);
}

/** @param {MultiPolygon} shape @returns {Generator<[LngLat, LngLat]>} */
function* edges(shape) {
  for (const polygon of shape) {
    for (const ring of polygon) {
      for (let i = 1; i < ring.length; i++) {
        yield [/** @type {LngLat} */ (ring[i - 1]), /** @type {LngLat} */ (ring[i])];
      }
    }
  }
}

/** From the origin to a segment. @param {[number, number]} a @param {[number, number]} b */
function toSegment([ax, ay], [bx, by]) {
  const dx = bx - ax, dy = by - ay;
  const k = Math.min(1, Math.max(0, -(ax * dx + ay * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(ax + k * dx, ay + k * dy);
}

/** Square degrees: good enough to say which of two zones is the smaller. @param {MultiPolygon} shape */
function area(shape) {
  let sum = 0;
  for (const [[ax, ay], [bx, by]] of edges(shape)) sum += ax * by - bx * ay;
  return Math.abs(sum / 2);
}

/** A Polygon's or MultiPolygon's coordinates, or a GeoJSON geometry, as a MultiPolygon's. @param {any} shape @returns {MultiPolygon} */
function multi(shape) {
  const coordinates = shape?.coordinates ?? shape ?? [];
  return typeof coordinates?.[0]?.[0]?.[0] === "number" ? [coordinates] : coordinates;
}

/**
 * Rings that came as differences, in whole numbers of a part of a degree, in degrees; without such a part they are that already.
 * @param {MultiPolygon} shape @param {number} [perDegree] @returns {MultiPolygon}
 */
function inDegrees(shape, perDegree) {
  if (!perDegree) return shape;
  return shape.map((polygon) => polygon.map((ring) => {
    let x = 0, y = 0;
    return ring.map(([dx, dy]) => [(x += dx) / perDegree, (y += dy) / perDegree]);
  }));
}

/** @param {any} d @returns {FenceDoor} */
function door(d) {
  return { name: String(d.name ?? ""), level: Number(d.level ?? 0), at: d.at ?? [d.lng, d.lat] };
}

/** @param {any} z @param {(shape: any) => MultiPolygon} read @returns {FenceZone} */
function zone(z, read) {
  const shape = read(z.shape ?? z.polygon ?? z.boundary);
  const ring = shape[0]?.[0] ?? [];
  const n = Math.max(1, ring.length - 1);
  const sum = ring.slice(0, n).reduce((s, p) => [s[0] + p[0] / n, s[1] + p[1] / n], [0, 0]);
  return {
    id: String(z.id ?? ""), name: String(z.name ?? ""), class: String(z.class ?? ""), level: Number(z.level ?? 0), sensitive: Boolean(z.sensitive),
    shape, at: z.label ?? /** @type {LngLat} */ (sum),
  };
}

/** @param {MultiPolygon[]} boundaries @returns {LngLat} */
function firstPoint(boundaries) {
  for (const b of boundaries) {
    const p = b[0]?.[0]?.[0];
    if (p) return p;
  }
  throw new TypeError("a fence without a boundary");
}
