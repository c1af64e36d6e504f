// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Beats } from "../pages/assets/console/beats.js";

function beats() {
  const clock = { now: 1_000 };
  return { clock, b: new Beats(() => clock.now) };
}

test("positions may be shown only while a beat of the last 800 ms was echoed by a node that serves", () => {
  const { clock, b } = beats();
  assert.equal(b.fresh, false, "nothing was echoed yet");
  const n = b.next();
  clock.now += 100;
  b.echo(n, true);
  clock.now += 700;
  assert.equal(b.fresh, true, "the beat is 800 ms old: still fresh");
  clock.now += 1;
  assert.equal(b.fresh, false, "measured from when the beat was sent, not from when it came back");
});

test("a late echo of an old beat renews nothing", () => {
  const { clock, b } = beats();
  const old = b.next();
  clock.now += 900;
  b.echo(old, true);
  assert.equal(b.fresh, false);
});

test("a node without a lease blanks, at once", () => {
  const { b } = beats();
  b.echo(b.next(), true);
  b.echo(b.next(), false);
  assert.equal(b.fresh, false);
});

test("an echo of a beat that was never sent says nothing", () => {
  const { b } = beats();
  b.echo(99, true);
  assert.equal(b.fresh, false);
});

test("a position is taken by the age of its beat", () => {
  const { clock, b } = beats();
  const n = b.next();
  assert.equal(b.takes(n), true);
  clock.now += 801;
  assert.equal(b.takes(n), false);
  assert.equal(b.takes(n + 1), false);
});

test("a new connection starts from nothing, and its numbers go on", () => {
  const { b } = beats();
  const n = b.next();
  b.echo(n, true);
  b.reset();
  assert.equal(b.fresh, false);
  assert.equal(b.takes(n), false);
  assert.equal(b.next(), n + 1);
});
