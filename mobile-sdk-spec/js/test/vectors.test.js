// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BACKOFF, Fence, ServerClock, backoffMs, canonical, claimsOf, closeRule, realEnv, shownDigest, verifyReceipt } from "../src/index.js";

/** The specification's own vectors, which no implementation wrote. None at all is a failure. @param {string} name @returns {any} */
function vectors(name) {
  const file = JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8"));
  assert.ok(file.cases.length > 0, `${name} holds no cases`);
  return file;
}

test("close codes", () => {
  for (const c of vectors("close-codes").cases) {
    const rule = closeRule(c.code);
    assert.equal(rule.retry, c.kind === "retry", String(c.code));
    // The vectors call a fresh token an update, and say so.
    const clears = rule.clears === "token" ? "update" : rule.clears;
    assert.equal(clears, c.clears_on ?? "", String(c.code));
  }
});

test("backing off", () => {
  for (const c of vectors("backoff").cases) {
    assert.ok(Math.abs(backoffMs(c.n, 0, () => 1) - c.bound_ms) < 1e-6, String(c.n));
    assert.equal(backoffMs(c.n, BACKOFF.mostMs + 1, () => 1), BACKOFF.mostMs + 1);
  }
});

test("server time", () => {
  for (const c of vectors("clock").cases) {
    const clock = new ServerClock(realEnv());
    for (const e of c.exchanges) clock.sample(e.t, e.sent, e.received);
    assert.equal(clock.known, c.expect !== null, c.name);
    if (c.expect !== null) assert.equal(clock.at(c.at), c.expect, c.name);
  }
});

test("the digest of what was shown", async () => {
  for (const c of vectors("digest").cases) {
    const shown = { title: c.title, blocks: c.blocks, choices: c.choices.map((/** @type {string} */ label) => ({ label })) };
    assert.equal(canonical({ blocks: c.blocks, choices: c.choices, title: c.title }), c.canonical, c.name);
    assert.equal(await shownDigest(shown), c.digest, c.name);
  }
});

for (const name of ["fence", "fence-seam", "fence-short"]) {
  test(`the phone's fence: ${name}`, () => {
    const { fence: json, cases } = vectors(name);
    const turned = { ...json, levels: json.levels.map((/** @type {any} */ l) => ({ ...l, boundary: [...l.boundary].reverse() })) };
    for (const fence of [new Fence(json), new Fence(turned)]) { // whichever part comes first
      for (const c of cases) {
        const { where } = fence.judge({ lat: c.lat, lng: c.lng, accuracyM: c.accuracy_m, level: c.level ?? null });
        assert.equal(where, c.where, c.name);
        assert.equal(fence.distance(c.lat, c.lng, c.level ?? null) <= 0, c.inside, c.name);
      }
    }
  });
}

test("the fence's cells", () => {
  const { fence: json, cases } = vectors("fence-cells");
  const fence = new Fence(json);
  assert.equal(fence.cells?.res, 12);
  for (const c of cases) assert.equal(fence.cells?.at(c.cell), c.is, c.name);
  assert.equal(new Fence({ ...json, cells: undefined }).cells, null);
});

test("the client judges receipts as the vectors say", async () => {
  const { keys, cases } = vectors("receipts");
  assert.ok(cases.length >= 10, "there are vectors");
  for (const c of cases) assert.equal((await verifyReceipt(c.receipt, keys)).verdict, c.signature, c.name);
});

test("what a receipt says can be read before it is checked, and what cannot be read says nothing", () => {
  for (const c of vectors("receipts").cases.filter((/** @type {any} */ c) => c.good)) assert.equal(claimsOf(c.receipt).jti, claimsOf(c.receipt).receipt.header.record_id);
  for (const text of ["", "a.b.c", "no receipt"]) assert.equal(claimsOf(text), null);
});
