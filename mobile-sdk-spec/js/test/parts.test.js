// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock, realEnv } from "../src/clock.js";
import { backoffMs, closeRule } from "../src/closecodes.js";
import { base64url, canonical, fromBase64url, sha256hex, shownDigest, uuid7 } from "../src/encoding.js";
import { Fence, around, contains } from "../src/fence.js";
import { InstallationKey } from "../src/key.js";
import { STATES, next } from "../src/machine.js";
import { verifyReceipt } from "../src/receipt.js";
import { Slot } from "../src/slot.js";
import { memoryStore } from "../src/storage.js";
import { FAR, FENCE, INSIDE, OUTSIDE } from "./places.js";

test("canonical JSON is that of RFC 8785, section 3.2.3", () => {
  const value = { "€": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter", "1": "One", "😀": "Emoji", "\u0080": "Control", "ö": "Latin" };
  const order = [...canonical(value).matchAll(/:"(.*?)"/g)].map((m) => m[1]);
  assert.deepEqual(order, ["Carriage Return", "One", "Control", "Latin", "Euro Sign", "Emoji", "Hebrew Letter"]);
  assert.equal(canonical({ b: [333333333.33333329, 1e30, 4.5, 2e-3], a: "\u20ac$\u000F\nA'\u0042\"\\/" }),
    '{"a":"€$\\u000f\\nA\'B\\"\\\\/","b":[333333333.3333333,1e+30,4.5,0.002]}');
  assert.throws(() => canonical({ a: NaN }), /not a JSON number/);
});

test("the digest covers title, texts and labels, in order, and nothing else", async () => {
  const shown = { title: "T", blocks: [{ key: "k", title: "a", text: "b" }], choices: [{ label: "x" }, { label: "y" }] };
  const expected = await sha256hex('{"blocks":[{"text":"b","title":"a"}],"choices":["x","y"],"title":"T"}');
  assert.equal(await shownDigest(shown), expected);
  assert.notEqual(await shownDigest({ ...shown, choices: [{ label: "y" }, { label: "x" }] }), expected);
});

test("base64url goes both ways and refuses the standard alphabet", () => {
  for (let n = 0; n < 40; n++) {
    const bytes = crypto.getRandomValues(new Uint8Array(n));
    assert.equal(base64url(bytes), Buffer.from(bytes).toString("base64url"));
    assert.deepEqual(fromBase64url(base64url(bytes)), bytes);
  }
  assert.throws(() => fromBase64url("a+b/"), /not base64url/);
});

test("a UUID 7 carries its time, its version and its variant", () => {
  const id = uuid7(0x018f_0000_1234);
  assert.match(id, /^018f0000-1234-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(uuid7(1), uuid7(1));
});

test("close codes fall into two ranges, and a client never guesses", () => {
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 1015, 4001, 4002, 4003, 4004, 4005, 4006, 4077, 4444]) {
    assert.equal(closeRule(code).retry, true, String(code));
  }
  for (const code of [1000, 1002, 1003, 1007, 1008, 1009, 1010, 4500, 4501, 4502, 4503, 4504, 4505, 4506, 4507, 4508, 4577, 4999]) {
    assert.equal(closeRule(code).retry, false, String(code));
  }
  const clears = { 4500: "decision", 4504: "decision", 4501: "user", 4506: "user", 4502: "token", 4503: "update", 4505: "permission", 4507: "opens", 4508: "opens", 4509: "update" };
  for (const [code, what] of Object.entries(clears)) assert.equal(closeRule(Number(code)).clears, what);
});

test("waits stay between what the server asks and twenty seconds", () => {
  for (let n = 0; n < 40; n++) {
    assert.ok(backoffMs(n, 0, () => 0.999999) <= 20_000);
    assert.ok(backoffMs(n, 700, () => 0) === 700);
  }
  assert.equal(backoffMs(2, 0, () => 0.5), 1_000);
});

test("server time follows the quickest answer and ignores the wall clock", () => {
  let mono = 0;
  const clock = new ServerClock({ ...realEnv(), mono: () => mono, wall: () => 5 });
  assert.equal(clock.now(), 5);
  clock.sample(1_000_000, 0, 400); // slow: its middle may be off by 200
  clock.sample(1_000_110, 400, 420);
  mono = 1_410;
  assert.equal(clock.now(), 1_001_110);
});

test("the slot keeps the newest reading, and that not for long", () => {
  let mono = 0;
  const slot = new Slot(() => mono);
  slot.put("a");
  slot.put("b");
  assert.equal(slot.peek()?.value, "b");
  mono = 15_001;
  assert.equal(slot.peek(), null);
});

test("the fence judges as the table says", () => {
  const fence = new Fence(FENCE);
  /** @param {Partial<import("../src/types.js").Reading>} r */
  const where = (r) => fence.judge({ ...INSIDE, ...r }).where;
  assert.equal(where({}), "inside");
  assert.equal(where({ lat: 54, lng: 3.0008 }), "inside", "the edge counts as inside");
  assert.equal(where({ lat: 54 - 3 / 111_195 }), "edge", "3 m out is within the accuracy of 6 m");
  assert.equal(where({ lat: 54 - 8 / 111_195 }), "out");
  assert.equal(where({ lat: 54 - 16 / 111_195, accuracyM: 40 }), "out", "the benefit of the doubt ends at 15 m");
  assert.equal(where({ lat: OUTSIDE.lat }), "out");
  assert.equal(where(FAR), "far");
  for (const accuracyM of [0, -1, 51, NaN]) assert.equal(where({ accuracyM }), "unknown", String(accuracyM));
  for (const bad of [{ lat: 91 }, { lng: 181 }, { lat: NaN }]) assert.equal(where(bad), "unknown");
  assert.equal(fence.zoneAt(INSIDE.lat, INSIDE.lng, 0)?.id, "z1");
  assert.equal(fence.zoneAt(54.0001, 3.0001, 0), null);
});

test("even-odd agrees with the winding number on random polygons with holes", () => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  let inside = 0;
  for (let round = 0; round < 200; round++) {
    const outer = star(random, 10, 6, 10), hole = star(random, 7, 1, 4).reverse();
    const shape = /** @type {import("../src/fence.js").MultiPolygon} */ ([[outer, hole]]);
    for (let i = 0; i < 50; i++) {
      const x = random() * 22 - 11, y = random() * 22 - 11;
      const expected = winding(outer, x, y) !== 0 && winding(hole, x, y) === 0;
      assert.equal(contains(shape, x, y), expected);
      if (expected) inside++;
    }
  }
  assert.ok(inside > 1_000, `only ${inside} points fell inside: the test says little`);
});

/** @param {() => number} random @param {number} n @param {number} least @param {number} most @returns {[number, number][]} */
function star(random, n, least, most) {
  /** @type {[number, number][]} */
  const ring = Array.from({ length: n }, (_, i) => {
    const a = (i / n) * 2 * Math.PI, r = least + random() * (most - least);
    return [r * Math.cos(a), r * Math.sin(a)];
  });
  return [...ring, /** @type {[number, number]} */ (ring[0])];
}

/** The winding number by summed angles: another way than the one tested. @param {[number, number][]} ring @param {number} x @param {number} y */
function winding(ring, x, y) {
  let sum = 0;
  for (let i = 1; i < ring.length; i++) {
    const [ax, ay] = /** @type {[number, number]} */ (ring[i - 1]), [bx, by] = /** @type {[number, number]} */ (ring[i]);
    const d = Math.atan2(by - y, bx - x) - Math.atan2(ay - y, ax - x);
    sum += d > Math.PI ? d - 2 * Math.PI : d < -Math.PI ? d + 2 * Math.PI : d;
  }
  return Math.round(sum / (2 * Math.PI));
}

test("the machine: a withdrawal is possible anywhere, and nothing leads back out of it but a confirmation", () => {
  /** @type {import("../src/machine.js").Step[]} */
  const steps = ["notice", "given", "declined", "begin", "inside", "welcome", "entering", "active", "suspended", "end", "lost", "again",
    "lease_over", "give_up", "pause", "back", "back_late", "obstacle", "cancel", "ungranted", "withdraw", "confirmed"];
  for (const state of STATES) {
    assert.equal(next(state, "withdraw"), "STOPPING");
    for (const step of steps) {
      const to = next(state, step);
      if (state === "STOPPING" && to !== null) assert.ok(step === "confirmed" || step === "withdraw", `${state} ${step}`);
      if (to === "ACTIVE") assert.ok(["ENTERING", "SUSPENDED", "ACTIVE"].includes(state), `${state} may not become ACTIVE`);
      if (to === "CONNECTING") assert.ok(["LOCAL", "BACKOFF", "PAUSED"].includes(state), `${state} may not connect`);
    }
  }
});

test("the installation's key stays, cannot be taken out, and has the thumbprint of RFC 7638", async () => {
  const store = memoryStore();
  const first = await InstallationKey.load(store);
  const again = await InstallationKey.load(store);
  assert.equal(first.thumbprint, again.thumbprint);
  assert.equal(first.pair.privateKey.extractable, false);
  const expected = await sha256hex(`{"crv":"P-256","kty":"EC","x":"${first.jwk.x}","y":"${first.jwk.y}"}`);
  assert.equal(Buffer.from(first.thumbprint, "base64url").toString("hex"), expected);
  assert.notEqual((await InstallationKey.load(memoryStore())).thumbprint, first.thumbprint);
});

test("a receipt is checked against published keys", async () => {
  const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]));
  const jwk = { .../** @type {any} */ (await crypto.subtle.exportKey("jwk", pair.publicKey)), kid: "k1" };
  const b64 = (/** @type {unknown} */ v) => Buffer.from(JSON.stringify(v)).toString("base64url");
  const body = `${b64({ alg: "EdDSA", typ: "consent-receipt+jwt", kid: "k1" })}.${b64({ jti: "r1" })}`;
  const signature = base64url(await crypto.subtle.sign("Ed25519", pair.privateKey, Buffer.from(body)));
  const jws = `${body}.${signature}`;
  const good = await verifyReceipt(jws, { keys: [jwk] });
  assert.equal(good.verdict, "valid");
  assert.equal(good.claims.jti, "r1");
  const forged = `${b64({ alg: "EdDSA", kid: "k1" })}.${b64({ jti: "r2" })}.${signature}`;
  assert.equal((await verifyReceipt(forged, { keys: [jwk] })).verdict, "invalid");
  const none = `${b64({ alg: "none", kid: "k1" })}.${b64({ jti: "r2" })}.`;
  assert.equal((await verifyReceipt(none, { keys: [jwk] })).verdict, "invalid");
  assert.equal((await verifyReceipt(jws, { keys: [{ ...jwk, kid: "k2" }] })).verdict, "unknown_key");
  assert.equal((await verifyReceipt("what?", { keys: [jwk] })).verdict, "malformed");
});

test("where stores overlap, all of them are named: the shopper chooses", () => {
  const east = JSON.parse(JSON.stringify(FENCE), (k, v) => (k === "boundary" ? v.map((/** @type {any} */ p) => p.map((/** @type {any} */ r) => r.map((/** @type {any} */ [x, y]) => [x + 0.0004, y]))) : v));
  const fences = [new Fence(FENCE), new Fence({ ...east, store: "east" })];
  const names = (/** @type {Partial<import("../src/types.js").Reading>} */ r) => around(fences, { ...INSIDE, ...r }).map((f) => f.store);
  const { lat } = INSIDE, x = 3;
  assert.deepEqual(names({ lat, lng: x + 0.0002 }), [FENCE.store]);
  assert.deepEqual(names({ lat, lng: x + 0.0006 }), [FENCE.store, "east"]);
  assert.deepEqual(names({ lat, lng: x - 0.0002 }), []);
});
