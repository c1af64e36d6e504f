// SPDX-License-Identifier: Apache-2.0

import { Client, memoryStore, realEnv } from "../src/index.js";

/** Often enough that the quickest pace is never short of a reading. */
const EVERY_MS = 100;

/**
 * The app around the client in a conformance run (SPEC.md, section 10): does as it is told, and says what the client shows.
 * @param {string} url @param {string} name @param {typeof globalThis.WebSocket} WebSocket
 */
export async function hands(url, name, WebSocket) {
  /** @type {Client|null} */ let client = null;
  let store = memoryStore(), shop = { store: "", purpose: "" }, wallMs = 0;
  /** @type {import("../src/types.js").Reading|null} */ let placed = null;

  /** @param {string} path @param {unknown} body @returns {Promise<any>} */
  const ask = async (path, body) => (await fetch(`${url}/conformance/${path}`, { method: "POST", body: JSON.stringify(body) })).json();

  /** The app's backend, which has none for who is signed out. @returns {Promise<string>} */
  const token = async () => {
    const given = (await ask(`${name}/token`, null)).token;
    if (!given) throw new Error("signed out");
    return given;
  };

  const launch = async () => {
    client?.close();
    const env = { ...realEnv(), wall: () => Date.now() + wallMs };
    client = await Client.open({
      baseUrl: url, token, store, env, WebSocket,
    });
    return client;
  };

  /** @param {any} o @returns {import("../src/types.js").Reading} */
  const reading = (o) => ({ lat: o.lat, lng: o.lng, accuracyM: o.accuracy_m, mocked: o.mocked ?? false, source: "sim" });

  /** @type {Record<string, (c: Client, o: any) => unknown>} */
  const orders = {
    async consent(c, { choice, unasked, store = shop.store, purpose = shop.purpose }) {
      const prompt = await c.prompt({ store, purpose, opened: !unasked });
      if (!prompt.may_prompt) return;
      if (choice === "dismiss") c.dismissPrompt();
      else await c.decide(prompt, { choice, control: "button", shownT: c.clock.now(), store });
    },
    async start(c) {
      c.begin(await Promise.all((await c.stores()).map(({ id, fence }) => c.fence(id, fence))));
    },
    pick: (c, { store }) => c.pick(store),
    place(_, o) { placed = o.at === "nowhere" ? null : reading(o); },
    read: (c, o) => c.fix(reading(o)),
    leave: (c) => c.leave(),
    background: (c) => c.pause("background"),
    permission_off: (c) => c.pause("permission"),
    foreground: (c) => c.back(),
    permission_on: (c) => c.back(),
    async withdraw(c, { scope }) { await c.withdraw(scope, scope === "all" ? {} : { store: shop.store }); },
    restart: () => launch(),
    clock(_, o) { wallMs += o.clock_ms; },
    async install(_, o) {
      store = memoryStore();
      shop = { store: o.store, purpose: o.purpose };
      wallMs = o.clock_ms ?? 0;
      placed = null;
      await launch();
    },
  };

  const walking = setInterval(() => { if (client?.locating && placed) client.fix(placed); }, EVERY_MS);
  /** @type {Record<string, unknown>} */ let said = { done: 0 };
  for (;;) {
    const o = await ask(name, said);
    if (o.do === "end") break;
    said = { done: o.n };
    try {
      await orders[o.do]?.(/** @type {any} */ (client), o);
    } catch (e) {
      said.error = String(e);
    }
    const now = /** @type {Client|null} */ (client);
    Object.assign(said, { state: now?.view.state ?? "", located: now?.locating ?? false });
  }
  clearInterval(walking);
  /** @type {Client|null} */ (client)?.close();
}
