// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { WebSocket } from "ws";
import { Client, contains, memoryStore, realEnv } from "../src/index.js";
import { FAR, FENCE, INSIDE, OUTSIDE, PROMPT, startServer, until } from "./server.js";

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {Client[]} */ let clients = [];

beforeEach(async () => { server = await startServer(); });
afterEach(async () => {
  for (const c of clients) c.close();
  clients = [];
  await server.close();
});

/** @param {Partial<import("../src/client.js").ClientConfig>} [more] */
async function open(more = {}) {
  const client = await Client.open({
    baseUrl: server.base, token: async () => "shopper-token", store: memoryStore(),
    WebSocket: /** @type {any} */ (WebSocket), env: { ...realEnv(), random: () => 0.05 }, ...more,
  });
  clients.push(client);
  return client;
}

/** A client whose shopper has said yes and is ready to be helped. @param {Partial<import("../src/client.js").ClientConfig>} [more] */
async function ready(more) {
  const client = await open(more);
  const prompt = await client.prompt({ store: "s1", purpose: "assist" });
  await client.decide(prompt, { choice: "visit", control: "button", shownT: client.clock.now(), store: "s1" });
  client.begin(await client.fence("s1", "v1"), ["assist"]);
  return client;
}

/** A client that is being helped. @param {Partial<import("../src/client.js").ClientConfig>} [more] */
async function active(more) {
  server.onFrame = (f, ws) => {
    if (f.type === "fix") ws.send(JSON.stringify({ type: "state", t: Date.now(), state: "active" }));
  };
  const client = await ready(more);
  client.fix(INSIDE);
  await until("active", () => client.view.state === "ACTIVE");
  return client;
}

/** @param {string} type */
const sent = (type) => server.frames.filter((f) => f.type === type);
/** @param {string} path */
const asked = (path) => server.requests.filter((r) => r.path === path);
/** @param {Client} client @param {string} state */
const becomes = (client, state) => until(`state ${state}`, () => client.view.state === state);

test("a decision carries the single-use id, the notice's hash and the digest of what was shown", async () => {
  const client = await open();
  const prompt = await client.prompt({ store: "s1", purpose: "assist" });
  assert.equal(client.view.state, "ASKING");
  await client.decide(prompt, { choice: "visit", control: "button", shownT: 5, store: "s1" });
  assert.equal(client.view.state, "READY");
  const body = asked("/v1/decisions")[0]?.body;
  assert.equal(body.served_id, PROMPT.served_id);
  assert.equal(body.hash, "h1");
  assert.match(body.digest, /^[0-9a-f]{64}$/);
  assert.equal(client.grants[0]?.stopToken, "stop-1");
});

test("a decision that takes the place of another allows as much", async () => {
  server.answers["/v1/decisions"] = () => [200, { record_id: "r2", state: "renewed", receipt: "a.b.c", stop_token: "stop-2" }];
  const client = await ready();
  assert.equal(client.view.state, "LOCAL");
  assert.deepEqual(client.grants.map((g) => g.recordId), ["r2"]);
});

test("a refusal leads back to OFF, and no session can begin", async () => {
  const client = await open();
  const prompt = await client.prompt({ store: "s1", purpose: "assist" });
  await client.decide(prompt, { choice: "no", control: "button", shownT: 5, store: "s1" });
  assert.equal(client.view.state, "OFF");
  assert.equal(client.begin(await client.fence("s1", "v1"), ["assist"]), false);
});

test("until a fix falls inside, the radio is silent; from then on there is a ticket, a hello and a fix", async () => {
  const client = await ready();
  const before = server.requests.length;
  for (const reading of [FAR, OUTSIDE, OUTSIDE, { ...INSIDE, accuracyM: 36 }, { ...INSIDE, accuracyM: 0 }]) client.fix(reading);
  assert.equal(client.view.state, "LOCAL");
  assert.equal(server.requests.length, before);
  client.fix(INSIDE);
  await until("a fix", () => sent("fix").length > 0);
  assert.equal(server.credentials[0], "ticket.dGlja2V0");
  assert.equal(sent("hello")[0].fence, "v1");
  const fix = sent("fix")[0];
  assert.equal(fix.seq, 1);
  assert.equal(fix.lat, INSIDE.lat);
  assert.ok(Math.abs(fix.t - Date.now()) < 2_000);
  assert.equal(client.view.word, "Maple ▲ green");
});

test("only fields that the welcome lists are sent", async () => {
  server.welcome = { fields: ["lat", "lng", "accuracy_m", "level"] };
  const client = await ready();
  client.fix({ ...INSIDE, speedMps: 1, headingDeg: 9 });
  await until("a fix", () => sent("fix").length > 0);
  assert.deepEqual(Object.keys(sent("fix")[0]).sort(), ["accuracy_m", "app_state", "lat", "level", "lng", "precise", "seq", "t", "type"]);
});

test("no coordinate from outside is ever sent, whatever the walk", async () => {
  const client = await active();
  const square = /** @type {import("../src/fence.js").MultiPolygon} */ (FENCE.levels[0]?.boundary);
  let seed = 11;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let i = 0; i < 120; i++) {
    client.fix({ ...INSIDE, lat: 54.0003 + random() * 0.0009, accuracyM: 1 + random() * 60 });
    await new Promise((r) => setImmediate(r));
    client.fix(INSIDE); // two outside in a row would end it
    await new Promise((r) => setImmediate(r));
  }
  await until("several fixes", () => {
    client.fix(INSIDE); // how many of the walk were sent depends on how fast the socket took them
    return sent("fix").length > 3;
  });
  for (const f of server.frames) {
    if ("lat" in f) assert.ok(contains(square, f.lng, f.lat), JSON.stringify(f));
    if (f.type === "outside") assert.deepEqual(Object.keys(f).sort(), ["seq", "t", "type", "where"]);
  }
});

test("the first fix outside suspends on the phone at once; the second ends it, even if the server is mute", async () => {
  const client = await active({ limits: { lastWordMs: 30, suspendMs: 10_000 } });
  client.fix(OUTSIDE);
  assert.equal(client.view.state, "SUSPENDED");
  await until("outside is told", () => sent("outside").length === 1);
  client.fix(OUTSIDE);
  await becomes(client, "ENDED");
  assert.equal(client.view.end?.reason, "left_store");
  assert.equal(client.view.word, null);
  client.fix(INSIDE);
  assert.equal(client.view.state, "ENDED", "an end by fence is left only by the user");
  assert.equal(client.begin(await client.fence("s1", "v1"), ["assist"]), true);
});

test("the server's final state gives the reason", async () => {
  const client = await active();
  const ws = server.sockets[0];
  ws?.send(JSON.stringify({ type: "state", t: 1234, state: "ended", reason: "store_closed", code: 4507, restart: "opens" }));
  ws?.close(4507);
  await becomes(client, "ENDED");
  assert.deepEqual(client.view.end, { reason: "store_closed", code: 4507, t: 1234, restart: "opens" });
});

test("a lost connection is taken up again with the resume token, and numbers go on", async () => {
  const client = await active();
  const seq = Math.max(...sent("fix").map((f) => f.seq));
  server.sockets[0]?.terminate();
  await until("a second hello", () => sent("hello").length === 2);
  assert.match(server.credentials[1] ?? "", /^resume\.tok/);
  assert.equal(sent("hello")[1].resume, server.credentials[1]?.replace("resume.", ""));
  await becomes(client, "ENTERING");
  client.fix(INSIDE);
  await until("a later fix", () => sent("fix").some((f) => f.seq > Math.max(seq, 7)));
  assert.equal(asked("/v1/tickets").length, 1);
});

test("a resume that is refused is followed by a ticket, once", async () => {
  server.judge = (credential) => (credential.startsWith("resume.") ? 4502 : 0);
  const client = await active();
  server.sockets[0]?.terminate();
  await until("a new ticket", () => asked("/v1/tickets").length === 2);
  await until("a second welcome", () => sent("hello").length === 2);
  assert.deepEqual(server.credentials.map((c) => c.split(".")[0]), ["ticket", "resume", "ticket"]);
  void client;
});

test("a terminal code is not tried again", async () => {
  const client = await active();
  server.sockets[0]?.close(4506);
  await becomes(client, "ENDED");
  assert.equal(client.view.end?.reason, "replaced");
  assert.equal(server.credentials.length, 1);
});

test("nobody at the desk is said plainly, and asked again later without anybody walking", async () => {
  server.answers["/v1/tickets"] = (_, n) => (n === 1 ? [409, { code: "nobody_on_duty", title: "Nobody is on duty" }] : null);
  const client = await ready({ limits: { obstacleMs: 20 } });
  client.fix(INSIDE);
  await until("the obstacle", () => client.view.obstacle?.code === "nobody_on_duty");
  assert.equal(client.view.state, "LOCAL");
  await until("the second try", () => { client.fix(INSIDE); return asked("/v1/tickets").length === 2; });
  await becomes(client, "ENTERING");
  assert.equal(client.view.obstacle, null);
});

test("a wrong clock mends itself with the time in the refusal", async () => {
  const real = Date.now();
  server.answers["/v1/prompts"] = (_, n) => (n === 1 ? [401, { code: "proof_time", t: real }] : null);
  const client = await open({ env: { ...realEnv(), wall: () => Date.now() - 7_200_000 } });
  await client.prompt({ store: "s1", purpose: "assist" });
  const [first, second] = asked("/v1/prompts").map((r) => r.proof.claims);
  assert.ok(first.iat < real / 1000 - 7_000);
  assert.ok(Math.abs(second.iat - real / 1000) < 5);
  assert.notEqual(first.jti, second.jti);
});

test("beats say nothing of the time: however many come, the clock stays", async () => {
  const client = await active();
  const off = () => Math.abs(client.clock.now() - Date.now());
  for (let i = 0; i < 20; i++) server.sockets[0]?.send(JSON.stringify({ type: "time", t0: 0, t: Date.now() }));
  server.sockets[0]?.send(JSON.stringify({ type: "seen", by: "floor", team: "Shoes", since: 1 }));
  await until("all are heard", () => client.view.seen !== null);
  assert.ok(off() < 200, `off by ${off()} ms`);
  client.session?.askTime();
  await until("asked", () => sent("time").length === 1);
  server.sockets[0]?.send(JSON.stringify({ type: "time", t0: sent("time")[0].t0, t: Date.now() + 1 }));
  await until("the answer counts", () => client.session?.timeAsked === null);
});

test("a pause turns location off first, says so, and comes back to the same session", async () => {
  const client = await active();
  client.pause("background");
  assert.equal(client.view.state, "PAUSED");
  assert.equal(client.locating, false);
  await until("pause is told", () => sent("pause")[0]?.reason === "background");
  const before = sent("fix").length;
  client.fix(INSIDE);
  client.back();
  await until("a second hello", () => sent("hello").length === 2);
  assert.match(server.credentials[1] ?? "", /^resume\./);
  assert.equal(sent("fix").length, before, "what was measured while paused is never sent");
});

/** A client that is being helped, and may go on in a pocket for some milliseconds. @param {number} ms */
async function pocketed(ms) {
  server.answers["/v1/rules"] = () => [200, { purposes: [{ id: "assist" }, { id: "pocket", pocket_minutes: ms / 60_000 }] }];
  server.onFrame = (f, ws) => { if (f.type === "fix") ws.send(JSON.stringify({ type: "state", t: Date.now(), state: "active" })); };
  const client = await open();
  for (const purpose of ["assist", "pocket"]) {
    const prompt = await client.prompt({ store: "s1", purpose });
    await client.decide({ ...prompt, purpose }, { choice: "visit", control: "button", shownT: 1, store: "s1" });
  }
  client.begin(await client.fence("s1", "v1"));
  client.fix(INSIDE);
  await becomes(client, "ACTIVE");
  client.pause("background");
  return client;
}

test("in a pocket it goes on by a decision of its own, says so, and is paused when the time is over", async () => {
  const client = await pocketed(150);
  assert.deepEqual(asked("/v1/tickets")[0]?.body.purposes, ["assist", "pocket"]);
  assert.deepEqual([client.view.state, client.view.pocket, client.locating], ["ACTIVE", true, true]);
  client.fix({ ...INSIDE, lat: 54.0006 });
  await until("a fix from the pocket", () => sent("fix").at(-1)?.app_state === "pocket");
  await becomes(client, "PAUSED");
  assert.deepEqual([client.view.pocket, client.locating], [false, false]);
  await until("pause is told", () => sent("pause")[0]?.reason === "background");
  client.back();
  client.fix(INSIDE);
  await until("on screen", () => sent("fix").at(-1)?.app_state === "foreground");
});

test("who looks again has all of the time in the pocket anew, and what ends a session ends that too", async () => {
  const client = await pocketed(300);
  client.back();
  assert.deepEqual([client.view.state, client.view.pocket], ["ACTIVE", false]);
  client.pause("permission");
  assert.deepEqual([client.view.state, client.view.pocket], ["PAUSED", false], "a permission taken back is no pocket");
  client.back();
  await until("back", () => client.view.state !== "PAUSED" && sent("hello").length === 2);
  await until("active again", () => { client.fix(INSIDE); return client.view.state === "ACTIVE"; });
  client.pause("background");
  assert.equal(client.view.pocket, true);
  const { done } = await client.withdraw("all");
  assert.deepEqual([client.view.pocket, client.locating], [false, false]);
  await done;
});

test("where two stores overlap nothing begins until one is picked, and the choice is over when it is left", async () => {
  const east = JSON.parse(JSON.stringify(FENCE), (k, v) => (k === "boundary" ? v.map((/** @type {any} */ p) => p.map((/** @type {any} */ r) => r.map((/** @type {any} */ [x, y]) => [x + 0.0004, y]))) : v));
  server.answers["/v1/stores/s2/fences/v1"] = () => [200, { ...east, store: "s2" }];
  const client = await open();
  for (const store of ["s1", "s2"]) {
    const prompt = await client.prompt({ store, purpose: "assist" });
    await client.decide(prompt, { choice: "visit", control: "button", shownT: 1, store });
  }
  const both = { ...INSIDE, lng: 3.0006, accuracyM: 40 }, good = { ...both, accuracyM: 6 };
  client.begin([await client.fence("s1", "v1"), await client.fence("s2", "v1")]);
  client.fix(both);
  assert.deepEqual([client.view.state, client.view.store, client.view.among], ["LOCAL", null, ["s1", "s2"]]);
  client.pick("s2");
  client.fix(both);
  assert.deepEqual([client.view.store, client.view.among], ["s2", []]);
  client.fix({ ...INSIDE, lng: 2.9999 }); // of neither
  client.fix(good);
  assert.deepEqual([client.view.store, client.view.among], [null, ["s1", "s2"]]);
  client.pause("background");
  assert.deepEqual([client.view.state, client.locating], ["PAUSED", false], "before one is meant, too");
  client.back();
  client.pick("s1");
  client.fix(good);
  await until("a ticket", () => asked("/v1/tickets")[0]?.body.store === "s1");
});

test("a back after the time has run out begins at the fence", async () => {
  server.welcome = { resume_ms: 0 };
  const client = await active();
  client.pause("background");
  client.back();
  assert.equal(client.view.state, "LOCAL");
});

test("a withdrawal goes by HTTP with the stop token alone, and by socket, with one id", async () => {
  const client = await active();
  const { id, phoneMs, done } = await client.withdraw("store", { store: "s1" });
  assert.equal(client.view.state, "STOPPING");
  client.fix(INSIDE);
  const result = await done;
  assert.equal(client.view.state, "OFF");
  assert.deepEqual(result.removed, { nodes: 2, consoles: 3, ms: 84 });
  assert.ok(phoneMs < 50);
  const request = asked("/v1/withdrawals")[0];
  assert.equal(request?.auth, "Stop stop-1");
  assert.equal(request?.proof, null);
  assert.equal(request?.body.id, id);
  await until("the frame", () => sent("withdraw")[0]?.id === id);
  assert.equal(client.grants.length, 0);
  assert.equal(client.view.end?.reason, "withdrawn");
});

test("a withdrawal of one purpose of several goes by HTTP alone", async () => {
  server.welcome = { purposes: ["assist", "pocket"] };
  const client = await active();
  const { done } = await client.withdraw("grant", { store: "s1", purpose: "pocket" });
  await done;
  assert.equal(asked("/v1/withdrawals")[0]?.body.purpose, "pocket");
  assert.deepEqual(sent("withdraw"), []);
});

test("a withdrawal that is recorded but not complete is repeated with the same id", async () => {
  server.answers["/v1/withdrawals"] = (_, n) => (n < 3 ? [503, { code: "recorded_not_complete", retry_ms: 10 }] : null);
  const client = await ready();
  const { done } = await client.withdraw("all");
  await done;
  const ids = asked("/v1/withdrawals").map((r) => r.body.id);
  assert.equal(ids.length, 3);
  assert.equal(new Set(ids).size, 1);
});

test("the socket may confirm first", async () => {
  server.answers["/v1/withdrawals"] = () => [503, { code: "unavailable", retry_ms: 60_000 }];
  const client = await active();
  server.onFrame = (f, ws) => {
    if (f.type === "withdraw") ws.send(JSON.stringify({ type: "withdrawn", id: f.id, receipt: "x.y.z", removed: { nodes: 1, consoles: 1, ms: 3 } }));
  };
  const { done } = await client.withdraw("store", { store: "s1" });
  assert.equal((await done).via, "socket");
});

test("an unconfirmed withdrawal survives a restart and is repeated with its id until confirmed", async () => {
  const store = memoryStore();
  server.answers["/v1/withdrawals"] = () => [503, { code: "unavailable", retry_ms: 60_000 }];
  const first = await ready({ store });
  const { id } = await first.withdraw("store", { store: "s1" });
  await until("a first attempt", () => asked("/v1/withdrawals").length === 1);
  first.close();
  delete server.answers["/v1/withdrawals"];
  const second = await open({ store });
  assert.equal(second.view.state, "STOPPING");
  await becomes(second, "OFF");
  assert.deepEqual(asked("/v1/withdrawals").map((r) => r.body.id), [id, id]);
  await until("it is forgotten", () => second.withdrawals.running.size === 0);
  const third = await open({ store });
  assert.equal(third.view.state, "OFF");
});

test("a withdrawal that the store cannot take is kept and told, and not repeated; one of everything settles it", async () => {
  const store = memoryStore();
  server.answers["/v1/withdrawals"] = (body) => (body.scope === "all" ? null : [422, { code: "not_on_record", title: "Nothing was withdrawn", remedy: "Mend it" }]);
  const first = await ready({ store });
  await first.withdraw("grant", { store: "s1", purpose: "asist" });
  await until("it is told", () => first.view.stopRefused?.code === "not_on_record");
  assert.equal(first.view.state, "STOPPING");
  assert.equal(first.view.stopQueued, true);
  await new Promise((later) => setTimeout(later, 500));
  assert.equal(asked("/v1/withdrawals").length, 1);
  first.close();
  const second = await open({ store });
  await until("it is tried once more", () => second.view.stopRefused !== null);
  assert.equal(second.view.state, "STOPPING");
  const { done } = await second.withdraw("all");
  assert.equal(second.view.stopRefused, null);
  await done;
  assert.equal(second.view.state, "OFF");
  assert.equal((await open({ store })).view.state, "OFF");
});

test("an export is asked for with token and proof, and is everything the server says", async () => {
  const client = await open();
  const all = await client.export();
  assert.deepEqual(all.journal, [{ kind: "export" }]);
  const [request] = asked("/v1/me/export");
  assert.equal(request?.auth, "Bearer shopper-token");
  assert.ok(request?.proof);
});

test("an erasure stops the phone first, is repeated with its id, and leaves the proof and nothing else", async () => {
  server.answers["/v1/erasures"] = (_, n) => (n < 3 ? [503, { code: "recorded_not_complete", retry_ms: 10 }] : null);
  const store = memoryStore();
  const client = await active({ store });
  const begun = client.erase();
  assert.deepEqual([client.view.state, client.view.erasing], ["STOPPING", true]);
  const told = server.frames.length;
  client.fix(INSIDE);
  const { id, done } = await begun;
  assert.deepEqual(await done, { id, proof: "e.b.c" });
  assert.deepEqual(asked("/v1/erasures").map((r) => r.body), [{ id }, { id }, { id }]);
  assert.ok(asked("/v1/erasures").every((r) => r.auth === "Bearer shopper-token" && r.proof));
  assert.equal(server.frames.length, told, "nothing more is told");
  assert.deepEqual([client.view.state, client.view.erasing], ["OFF", false]);
  assert.equal(client.view.end?.reason, "erased");
  assert.deepEqual([client.grants, await store.get("grants"), client.session], [[], undefined, null]);
  const later = await open({ store });
  assert.deepEqual(later.view.erasure, { id, proof: "e.b.c" });
  await later.forgetProof();
  assert.equal((await open({ store })).view.erasure, null);
});

test("an erasure that is asked for twice is one", async () => {
  const client = await open();
  const [one, two] = await Promise.all([client.erase(), client.erase()]);
  assert.equal(one.id, two.id);
  await two.done;
  assert.equal(asked("/v1/erasures").length, 1);
  assert.notEqual((await client.erase()).id, one.id, "a later one is another");
});

test("an unconfirmed erasure survives a restart; a withdrawal that is confirmed before it ends nothing yet", async () => {
  const store = memoryStore();
  const away = () => /** @type {[number, any]} */ ([503, { code: "unavailable", retry_ms: 60_000 }]);
  server.answers = { "/v1/erasures": away, "/v1/withdrawals": away };
  const first = await ready({ store });
  await first.withdraw("store", { store: "s1" });
  const { id } = await first.erase();
  await until("first attempts", () => asked("/v1/erasures").length + asked("/v1/withdrawals").length === 2);
  first.close();
  server.answers = { "/v1/erasures": away };
  const second = await open({ store });
  let changes = 0;
  second.onChange(() => changes++);
  await until("the withdrawal is confirmed", () => changes === 1 && asked("/v1/erasures").length === 2);
  assert.deepEqual([second.view.state, second.view.erasing], ["STOPPING", true]);
  second.close();
  server.answers = {};
  const third = await open({ store });
  await becomes(third, "OFF");
  assert.equal(third.view.erasure?.id, id);
  assert.equal((await open({ store })).view.state, "OFF");
});

test("a withdrawal while a ticket is under way opens no session", async () => {
  const client = await ready();
  client.fix(INSIDE);
  assert.equal(client.view.state, "CONNECTING");
  const { done } = await client.withdraw("store", { store: "s1" });
  await done;
  await until("the ticket was answered", () => asked("/v1/tickets").length === 1);
  assert.equal(sent("hello").length, 0);
});

test("readings pile up to one: the newest", async () => {
  server.welcome = { min_ms: 40 };
  server.onFrame = () => {};
  const client = await ready();
  client.fix(INSIDE);
  await until("the first fix", () => sent("fix").length === 1);
  for (let i = 1; i <= 9; i++) client.fix({ ...INSIDE, lat: 54.0005 + i * 1e-5 });
  await until("the newest", () => sent("fix").at(-1).lat === 54.0005 + 9e-5);
  assert.ok(sent("fix").length <= 3, "on a machine that is slow here, the first of the nine may go at once");
  assert.deepEqual(sent("fix").map((f) => f.seq), [1, 2, 3].slice(0, sent("fix").length));
});

test("a stale fix leads to one look at the clock, a second to a stop", async () => {
  const client = await active();
  const ws = server.sockets[0];
  ws?.send(JSON.stringify({ type: "error", code: "stale", scope: "frame", seq: 1, retryable: true }));
  await until("the time is asked", () => sent("time").length === 1);
  ws?.send(JSON.stringify({ type: "error", code: "stale", scope: "frame", seq: 2, retryable: true }));
  await becomes(client, "ENDED");
  assert.equal(client.view.end?.reason, "clock");
});

test("a new map is fetched and acknowledged before anything else is sent", async () => {
  server.answers["/v1/stores/s1/fences/v2"] = () => [200, { ...FENCE, version: "v2" }];
  const client = await active();
  server.sockets[0]?.send(JSON.stringify({ type: "map", fence: "v2", url: "/v1/stores/s1/fences/v2", by: Date.now() + 5_000 }));
  await until("map_ok", () => sent("map_ok")[0]?.fence === "v2");
  assert.equal(client.session?.fence.version, "v2");
});

test("what waits while the map changes was judged by the one before, and is dropped", async () => {
  const east = FENCE.levels.map((l) => ({ ...l, boundary: l.boundary.map((part) => part.map((ring) => ring.map(([lng = 0, lat = 0]) => [lng + 0.01, lat]))) }));
  server.answers["/v1/stores/s1/fences/v2"] = () => [200, { ...FENCE, levels: east, version: "v2" }];
  const client = await active();
  const changed = client.session?.changeMap({ fence: "v2", url: "/v1/stores/s1/fences/v2" });
  client.fix(INSIDE);
  await changed;
  await until("map_ok", () => sent("map_ok").length === 1);
  client.fix(INSIDE);
  await until("outside", () => sent("outside").length === 1);
  assert.deepEqual(sent("fix").filter((f) => f.seq >= sent("map_ok")[0]?.seq), []);
});

test("a welcome of another map than hello named: nothing is sent until that one is here", async () => {
  server.welcome = { fence: "v2" };
  server.answers["/v1/stores/s1/fences/v2"] = () => [200, { ...FENCE, version: "v2" }];
  const client = await ready();
  client.fix(INSIDE);
  await becomes(client, "ENTERING");
  client.fix(INSIDE);
  client.session?.sender.pump();
  server.sockets[0]?.send(JSON.stringify({ type: "map", fence: "v2", url: "/v1/stores/s1/fences/v2", by: Date.now() + 5_000 }));
  await until("map_ok", () => sent("map_ok").length === 1);
  client.fix(INSIDE);
  await until("a fix", () => sent("fix").length === 1);
  assert.deepEqual(server.frames.map((f) => f.type), ["hello", "map_ok", "fix"]);
});

test("a fence without zones is completed from the whole map, whose sensitive zones have no names", async () => {
  const { zones: [zone], ...bare } = FENCE;
  server.answers["/v1/stores/s1/fences/v1"] = () => [200, bare];
  server.answers["/v1/stores/s1/maps/v1"] = () => [200, { store: "s1", version: "v1", levels: [
    { ordinal: 0, name: "Ground", zones: [{ id: "z1", name: "Shoes", class: "shop", polygon: zone?.polygon }] },
    { ordinal: 1, name: "First", zones: [{ sensitive: true, polygon: zone?.polygon }] },
  ] }];
  const fence = await (await open()).fence("s1", "v1");
  assert.deepEqual(fence.zones.map((z) => [z.level, z.id, z.name, z.class, z.sensitive]), [[0, "z1", "Shoes", "shop", false], [1, "", "", "", true]]);
  assert.equal(fence.zoneAt(INSIDE.lat, INSIDE.lng, 0)?.id, "z1");
  assert.equal(asked("/v1/stores/s1/maps/v1").length, 1);
});

test("a fence that has its zones, and one whose map cannot be had, are fences all the same", async () => {
  const client = await open();
  assert.equal((await client.fence("s1", "v1")).zones.length, 1);
  assert.equal(asked("/v1/stores/s1/maps/v1").length, 0, "what is there is not fetched again");
  const { zones, ...bare } = FENCE;
  void zones;
  server.answers["/v1/stores/s1/fences/v1"] = () => [200, bare];
  server.answers["/v1/stores/s1/maps/v1"] = () => [404, { code: "no_map" }];
  const fence = await client.fence("s1", "v1");
  assert.deepEqual([fence.zones, fence.judge(INSIDE).where], [[], "inside"]);
});

test("a server that says nothing is left", async () => {
  const client = await active({ limits: { silenceMs: 60 } });
  await becomes(client, "BACKOFF");
});

test("frames and fields that nobody knows are ignored, and looks are shown", async () => {
  const client = await active();
  const ws = server.sockets[0];
  ws?.send("not json");
  ws?.send(JSON.stringify({ type: "brand_new", x: 1 }));
  ws?.send(JSON.stringify({ type: "seen", by: "floor", team: "Shoes", since: 1, extra: true }));
  await until("seen", () => client.view.seen?.team === "Shoes");
  const id = client.help("fitting", true);
  await until("help", () => sent("help")[0]?.id === id);
  ws?.send(JSON.stringify({ type: "help_update", id, state: "coming" }));
  await until("coming", () => client.view.help[String(id)] === "coming");
  ws?.send(JSON.stringify({ type: "unseen" }));
  await until("unseen", () => client.view.seen === null);
});

test("every frame that a server may send is taken, and what is unknown is ignored", async () => {
  for (const name of ["frames/out-good", "frames/out-unknown"]) {
    const { cases } = JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8"));
    assert.ok(cases.length > 0, `${name} holds no cases`);
    for (const c of cases) {
      const server = await startServer();
      const client = await Client.open({ baseUrl: server.base, token: async () => "t", store: memoryStore(), WebSocket: /** @type {any} */ (WebSocket) });
      const prompt = await client.prompt({ store: "s1", purpose: "assist" });
      await client.decide(prompt, { choice: "visit", control: "button", shownT: 1, store: "s1" });
      client.begin(await client.fence("s1", "v1"), ["assist"]);
      client.fix(INSIDE);
      await until("a session", () => client.view.state === "ENTERING");
      const before = client.view;
      assert.equal(typeof JSON.parse(c.text).type, "string", c.name);
      server.sockets[0]?.send(c.text);
      server.sockets[0]?.send(JSON.stringify({ type: "seen", by: "sentinel", team: "x", since: 1 }));
      await until(`the frame after ${c.text}`, () => client.view.seen?.by === "sentinel" || client.view.state === "ENDED");
      if (c.ignore) assert.deepEqual({ ...client.view, seen: null }, { ...before, seen: null }, c.name);
      client.close();
      await server.close();
    }
  }
});
