// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { isDrawn, isNamed, roomIn } from "../pages/assets/lib/names.js";

/** @typedef {import("../pages/assets/lib/names.js").Shape} Shape */
/** @param {[number, number][]} points @returns {Shape} */
const ring = (...points) => [[[...points, /** @type {[number, number]} */ (points[0])]]];

test("a name stands in the middle of a rectangle and has its whole width", () => {
  const { x, y, w } = roomIn(ring([0, 0], [100, 0], [100, 40], [0, 40]), 18);
  assert.deepEqual([x, y, w], [50, 20, 100]);
});

test("in an L it stands in a leg, not in the corner that is not there", () => {
  const { x, y, w } = roomIn(ring([0, 0], [100, 0], [100, 30], [30, 30], [30, 100], [0, 100]), 18);
  assert.ok(y + 9 <= 30 && w === 100 && x === 50, `${x} ${y} ${w}`);
});

test("what is not as high as the letters has no room", () => {
  assert.equal(roomIn(ring([0, 0], [100, 0], [100, 10], [0, 10]), 18).w, 0);
});

test("a slanted wall takes from the room what it takes at the top and the foot of the letters", () => {
  const { w } = roomIn(ring([0, 0], [100, 0], [140, 40], [40, 40]), 20);
  assert.equal(w, 80);
});

test("a hole is no room, and two parts are two rooms", () => {
  const holed = ring([0, 0], [100, 0], [100, 40], [0, 40]);
  holed[0]?.push([[10, 1], [10, 39], [60, 39], [60, 1], [10, 1]]);
  assert.deepEqual(roomIn(holed, 18), { x: 80, y: 20, w: 40 });
  const parts = [...ring([0, 0], [30, 0], [30, 40], [0, 40]), ...ring([50, 0], [110, 0], [110, 40], [50, 40])];
  assert.deepEqual(roomIn(parts, 18), { x: 80, y: 20, w: 60 });
});

test("parking bays are not drawn, staff corridors have no name, shops have both", () => {
  assert.deepEqual(["parking-bay", "non-public", "shop", undefined].map((c) => [isDrawn(c), isNamed(c)]), [[false, false], [true, false], [true, true], [true, true]]);
});
