// SPDX-License-Identifier: Apache-2.0

/**
 * The store's outline as the phone holds it, and the phone's own judgement of a reading. It uses
 * the exact polygon alone: a phone judges one reading a second, and the cells that come with the
 * fence are for whoever must judge thousands.
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

/** Metres in one degree of latitude, on the sphere that a store's few hundred metres allow. */
const METRES = 111_195;

export class Fence {
  /** @param {any} json the body of GET /v1/stores/{id}/fences/{version} */
  constructor(json) {
    /** @type {string} */ this.store = String(json.store);
    /** @type {string} */ this.name = String(json.name ?? json.store);
    /** @type {string} */ this.version = String(json.version);
    /** Degrees clockwise from north. */
    this.bearing = Number(json.bearing ?? 0);
    /** @type {FenceLevel[]} */
    this.levels = json.levels.map((/** @type {any} */ l) => ({
      ordinal: l.ordinal, name: String(l.name || l.ordinal), boundary: multi(l.boundary),
    }));
    if (!this.levels.some((l) => l.boundary.length > 0)) throw new TypeError("a fence without a boundary");
    /** @type {FenceDoor[]} */
    this.doors = (json.doors ?? []).map(door);
    /** @type {FenceZone[]} */
    this.zones = (json.zones ?? []).map(zone);
    const [lng, lat] = firstPoint(this.levels);
    this.origin = { lng, lat, kx: METRES * Math.cos((lat * Math.PI) / 180), ky: METRES };
  }

  /** Local metres, east and north of the first vertex. @param {number} lat @param {number} lng @returns {[number, number]} */
  xy(lat, lng) {
    return [(lng - this.origin.lng) * this.origin.kx, (lat - this.origin.lat) * this.origin.ky];
  }

  /** Degrees back from local metres. @param {number} x @param {number} y @returns {{lat: number, lng: number}} */
  latLng(x, y) {
    return { lat: this.origin.lat + y / this.origin.ky, lng: this.origin.lng + x / this.origin.kx };
  }

  /** The levels that a reading could be on: the one it names, or all of them. @param {number|null} [level] */
  candidates(level) {
    const named = this.levels.filter((l) => l.ordinal === level);
    return named.length > 0 ? named : this.levels;
  }

  /** Signed metres to the boundary, negative inside; on the edge counts as inside. @param {number} lat @param {number} lng @param {number|null} [level] */
  distance(lat, lng, level) {
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
    if (distM > JUDGE.farM && accuracyM > 0 && accuracyM < distM) return { where: "far", distM };
    if (!(accuracyM > 0 && accuracyM <= JUDGE.usableM)) return { where: "unknown", distM };
    if (distM <= 0) return { where: "inside", distM };
    return { where: distM > Math.min(accuracyM, JUDGE.edgeM) ? "out" : "edge", distM };
  }

  /** The smallest zone around a point, if any. @param {number} lat @param {number} lng @param {number|null} [level] @returns {FenceZone|null} */
  zoneAt(lat, lng, level) {
    const levels = new Set(this.candidates(level).map((l) => l.ordinal));
    const found = this.zones.filter((z) => levels.has(z.level) && contains(z.shape, lng, lat));
    return found.sort((a, b) => area(a.shape) - area(b.shape))[0] ?? null;
  }

  /** @param {MultiPolygon} shape @param {number} lat @param {number} lng */
  #edge(shape, lat, lng) {
    const [px, py] = this.xy(lat, lng);
    let best = Infinity;
    for (const [a, b] of edges(shape)) {
      best = Math.min(best, toSegment(px, py, this.xy(a[1], a[0]), this.xy(b[1], b[0])));
    }
    return best;
  }
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

/** @param {number} px @param {number} py @param {[number, number]} a @param {[number, number]} b */
function toSegment(px, py, [ax, ay], [bx, by]) {
  const dx = bx - ax, dy = by - ay;
  const along = ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1);
  const k = Math.min(1, Math.max(0, along));
  return Math.hypot(px - ax - k * dx, py - ay - k * dy);
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

/** @param {any} d @returns {FenceDoor} */
function door(d) {
  return { name: String(d.name ?? ""), level: Number(d.level ?? 0), at: d.at ?? [d.lng, d.lat] };
}

/** @param {any} z @returns {FenceZone} */
function zone(z) {
  const shape = multi(z.shape ?? z.polygon ?? z.boundary);
  const ring = shape[0]?.[0] ?? [];
  const n = Math.max(1, ring.length - 1);
  const sum = ring.slice(0, n).reduce((s, p) => [s[0] + p[0] / n, s[1] + p[1] / n], [0, 0]);
  return {
    id: String(z.id ?? ""), name: String(z.name ?? ""), class: String(z.class ?? ""), level: Number(z.level ?? 0), sensitive: Boolean(z.sensitive),
    shape, at: z.label ?? /** @type {LngLat} */ (sum),
  };
}

/** @param {FenceLevel[]} levels @returns {LngLat} */
function firstPoint(levels) {
  for (const l of levels) {
    const p = l.boundary[0]?.[0]?.[0];
    if (p) return p;
  }
  throw new TypeError("a fence without a boundary");
}
