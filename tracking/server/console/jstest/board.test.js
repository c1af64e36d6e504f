// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Board, LINGER_MS } from "../pages/assets/console/board.js";

const shoes = { id: "shoes", name: "Shoes", level: 0 };
/** @param {Partial<Record<string, any>>} [more] */
const alert = (more = {}) => ({
  id: "a", kind: "help", topic: "fitting", ref: "4711", state: "raised", version: 1, mine: false, raised_t: 1, changed_t: 1, due_t: 9, presence: "visible",
  zone: shoes, word: "Maple ▲ green", ...more,
});
const position = { type: "position", alert: "a", n: 1, x: 1, y: 2, accuracy_m: 4, level: 0, t: 1 };

/** @param {...any} alerts */
function board(...alerts) {
  const b = new Board();
  b.snapshot({ alerts, offset: 3 }, 0);
  return b;
}

test("an older version changes nothing, a newer one does", () => {
  const b = board(alert({ version: 3, state: "claimed", mine: true }));
  b.alert({ alert: alert({ version: 2, state: "raised" }) }, 0);
  assert.equal(b.get("a")?.state, "claimed");
  b.alert({ alert: alert({ version: 4, state: "snoozed" }) }, 0);
  assert.equal(b.get("a")?.state, "snoozed");
});

test("hidden takes dot, zone and word at once, and keeps the request", () => {
  const b = board(alert({ mine: true, state: "claimed" }));
  b.position(position, 0);
  b.presence({ alert: "a", presence: "hidden" });
  assert.equal(b.dots.size, 0);
  assert.equal(b.get("a")?.zone, null);
  assert.equal(b.get("a")?.word, "");
  b.position(position, 0);
  b.live({ alert: "a", zone: shoes, word: "Maple ▲ green" });
  assert.equal(b.dots.size, 0, "nothing is joined to what is hidden");
  assert.equal(b.get("a")?.zone, null);
  b.presence({ alert: "a", presence: "visible" });
  b.live({ alert: "a", zone: shoes, word: "Maple ▲ green" });
  assert.equal(b.get("a")?.zone?.name, "Shoes");
});

test("after gone nothing is left but kind, reason and time, and nothing that comes late counts", () => {
  const b = board(alert({ mine: true, state: "claimed", holder_tag: "Mei" }));
  b.position(position, 0);
  b.gone({ alert: "a", offset: 4, reason: "left_store", t: 77 }, 100);
  const kept = JSON.stringify([...b.items.values(), ...b.dots.values()]);
  for (const word of ["Shoes", "shoes", "Maple", "fitting", "4711", "Mei", '"a"']) assert.ok(!kept.includes(word), `${word} in ${kept}`);
  const [item] = b.items.values();
  assert.deepEqual([item?.kind, item?.state, item?.reason, item?.changedT], ["help", "gone", "left_store", 77]);
  b.alert({ alert: alert({ version: 99 }) }, 100);
  b.live({ alert: "a", zone: shoes, word: "Maple ▲ green" });
  b.position(position, 100);
  b.snapshot({ alerts: [alert({ version: 100 })], offset: 5 }, 100);
  assert.equal(b.get("a"), undefined);
  assert.equal(b.items.size, 1);
});

test("a gone card keeps its place for thirty seconds", () => {
  const b = board(alert(), alert({ id: "b" }));
  b.gone({ alert: "a", offset: 4, reason: "withdrawn", t: 1 }, 1_000);
  assert.deepEqual(b.tab("open", 1_000 + LINGER_MS - 1).map((i) => i.state), ["gone", "raised"]);
  assert.deepEqual(b.tab("open", 1_000 + LINGER_MS).map((i) => i.state), ["raised"]);
  assert.deepEqual(b.tab("ended", 1_000 + LINGER_MS).map((i) => i.state), ["gone"]);
});

test("who comes back is told what changed, once; what is neither told nor open is over", () => {
  const b = board(alert({ mine: true, state: "claimed", version: 2 }), alert({ id: "b" }), alert({ id: "c" }));
  b.counts("e1");
  assert.deepEqual(b.seen, { since: 3, epoch: "e1" });
  b.resumed({ since: 3, offset: 9, alerts: [alert({ id: "b", state: "resolved", version: 3, changed_t: 5 }), alert({ id: "d" })], open: ["a", "d"] }, 1);
  assert.deepEqual(b.takeEvents().map((e) => [e.type, e.item.state]), [["new", "raised"], ["gone", "gone"]]);
  assert.deepEqual([b.get("a")?.state, b.get("b"), b.get("c"), b.get("d")?.state], ["claimed", undefined, undefined, "raised"]);
  assert.equal(b.tab("ended", 1).map((i) => i.state).sort().join(), "gone,resolved");
  b.resumed({ since: 3, offset: 9, alerts: [alert({ id: "d" })], open: ["a", "d"] }, 1);
  assert.deepEqual(b.takeEvents(), [], "told twice, known once");
  assert.deepEqual(b.seen, { since: 9, epoch: "e1" });
});

test("another epoch counts anew: nothing that is held compares with it", () => {
  const b = board(alert({ version: 7 }));
  b.counts("e1");
  b.counts("e1");
  assert.equal(b.get("a")?.version, 7);
  b.counts("e2");
  assert.deepEqual(b.seen, { since: 0 });
  b.snapshot({ alerts: [alert({ version: 1, state: "escalated" })], offset: 1 }, 0);
  assert.deepEqual([b.get("a")?.state, b.seen.since], ["escalated", 1]);
});

test("what the answer to an action does not know stays as the socket had it", () => {
  const b = board(alert({ priority: "high", quiet: true, rule: "Long", at_desk: "near" }));
  b.answered({ id: "a", kind: "help", state: "claimed", version: 2, mine: true, raised_t: 1, changed_t: 2, due_t: 9, presence: "hidden" }, 0);
  const a = b.get("a");
  assert.deepEqual([a?.state, a?.presence, a?.zone?.name, a?.word, a?.priority, a?.quiet, a?.rule, a?.atDesk],
    ["claimed", "visible", "Shoes", "Maple ▲ green", "high", true, "Long", "near"]);
});

test("what says where somebody is goes with the place: the rule, and how near the desk is", () => {
  const b = board(alert({ kind: "called", desk: "shoes", rule: "Long", at_desk: "near" }));
  b.presence({ alert: "a", presence: "hidden" });
  assert.deepEqual([b.get("a")?.rule, b.get("a")?.atDesk, b.get("a")?.desk], ["", "", "shoes"]);
  b.live({ alert: "a", zone: shoes, word: "Maple ▲ green", at_desk: "at" });
  assert.equal(b.get("a")?.atDesk, "", "nothing is joined to what is hidden");
  b.presence({ alert: "a", presence: "visible" });
  for (const at_desk of ["at", undefined, "at"]) b.live({ alert: "a", zone: shoes, word: "Maple ▲ green", at_desk });
  assert.deepEqual(b.takeEvents().map((e) => e.type), ["at_desk"], "that somebody is there is said once");
  b.gone({ alert: "a", offset: 9, reason: "left_store", t: 1 }, 1);
  const [item] = b.items.values();
  assert.deepEqual([item?.desk, item?.rule, item?.atDesk, item?.booking, item?.came], ["", "", "", null, false]);
});

test("priority orders what nobody has, and nothing else", () => {
  const b = board(alert({ id: "low", priority: "low" }), alert({ id: "mid" }), alert({ id: "high", priority: "high" }), alert({ id: "esc", state: "escalated", priority: "low" }),
    alert({ id: "theirs", state: "claimed", priority: "high" }));
  assert.deepEqual(b.tab("open", 0).map((i) => i.id), ["esc", "high", "mid", "low", "theirs"]);
  b.live({ alert: "mid", zone: shoes, word: "", priority: "high" }); // it follows from where somebody is
  assert.deepEqual(b.tab("open", 0).map((i) => i.id), ["esc", "mid", "high", "low", "theirs"]);
});

test("what a snapshot does not hold has ended meanwhile", () => {
  const b = board(alert(), alert({ id: "b" }));
  b.snapshot({ alerts: [alert({ id: "b" })], offset: 9 }, 5);
  assert.equal(b.get("a"), undefined);
  assert.equal(b.get("b")?.state, "raised");
  assert.equal(b.offset, 9);
});

test("a claim that is given back takes the dot with it", () => {
  const b = board(alert({ mine: true, state: "claimed", version: 2 }));
  b.position(position, 0);
  b.alert({ alert: alert({ version: 3, state: "raised", mine: false }) }, 0);
  assert.equal(b.dots.size, 0);
});

test("an alert is told once as new, and once as escalated; a first list is not news", () => {
  const b = board(alert());
  assert.deepEqual(b.takeEvents(), []);
  b.alert({ alert: alert({ id: "b" }) }, 0);
  b.alert({ alert: alert({ id: "b" }) }, 0);
  b.alert({ alert: alert({ id: "b", version: 2, state: "escalated" }) }, 0);
  assert.deepEqual(b.takeEvents().map((e) => e.type), ["new", "escalated"]);
});

test("escalated first, then by age: a new alert never pushes the others", () => {
  const b = board(alert(), alert({ id: "b", state: "escalated" }), alert({ id: "c", state: "snoozed" }));
  b.alert({ alert: alert({ id: "d" }) }, 0);
  assert.deepEqual(b.tab("open", 0).map((i) => i.id), ["b", "a", "d", "c"]);
});

test("a broken glass stands first, although it came last and somebody has it", () => {
  const b = board(alert({ id: "e", state: "escalated" }), alert({ id: "r" }), alert({ id: "g", kind: "emergency", state: "claimed", mine: true }));
  assert.deepEqual(b.tab("open", 0).map((i) => i.id), ["g", "e", "r"]);
});
