// SPDX-License-Identifier: Apache-2.0

import { createHash, createPublicKey, verify } from "node:crypto";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { FAR, FENCE, INSIDE, OUTSIDE } from "./places.js";

export { FAR, FENCE, INSIDE, OUTSIDE };

export const PROMPT = {
  served_id: "served-1", may_prompt: true, purpose: "assist", expires_t: 0, title: "Help in the store",
  notice: { id: "n", version: 1, hash: "h1", lang: "en", dir: "ltr" },
  blocks: [{ key: "who", title: "Who", text: "The store" }, { key: "why", title: "Why", text: "To find you" }],
  choices: [{ choice: "visit", label: "This visit" }, { choice: "term", label: "6 months" }, { choice: "no", label: "No" }, { choice: "not_now", label: "Not now" }],
  texts: { indicator: {}, ends: { left_store: "You left" } },
};

/**
 * A small server that keeps to the contract, checks every proof, and writes down all it is told.
 * Tests change `answers` to make it refuse.
 */
export async function startServer() {
  const state = {
    /** @type {{method: string, path: string, auth: string, body: any, proof: any}[]} */ requests: [],
    /** @type {any[]} */ frames: [],
    /** @type {import("ws").WebSocket[]} */ sockets: [],
    /** @type {string[]} */ credentials: [],
    /** @type {Record<string, (body: any, n: number) => [number, any]|null>} */ answers: {},
    /** @type {Record<string, number>} */ counts: {},
    /** @type {any} */ welcome: {},
    /** Called with each frame; returns frames to send back. @type {(f: any, ws: import("ws").WebSocket) => void} */
    onFrame: () => {},
    /** @type {((credential: string) => number)|null} a close code, or 0 to accept */ judge: null,
    base: "",
    close: async () => {},
  };
  const http = createServer(async (req, res) => {
    let text = "";
    for await (const chunk of req) text += chunk;
    const path = (req.url ?? "").split("?")[0] ?? "";
    const body = text ? JSON.parse(text) : undefined;
    const auth = req.headers.authorization ?? "";
    const proof = req.headers.dpop ? checkProof(String(req.headers.dpop), req.method ?? "", state.base + path, auth) : null;
    state.requests.push({ method: req.method ?? "", path, auth, body, proof });
    const n = (state.counts[path] = (state.counts[path] ?? 0) + 1);
    const [status, answer] = state.answers[path]?.(body, n) ?? usual(path, body, state.base);
    res.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json" });
    res.end(JSON.stringify(answer));
  });
  const wss = new WebSocketServer({ server: http, handleProtocols: () => "doorstep.v1" });
  wss.on("connection", (ws, req) => {
    const credential = (req.headers["sec-websocket-protocol"] ?? "").split(",")[1]?.trim().replace("doorstep.", "") ?? "";
    state.credentials.push(credential);
    state.sockets.push(ws);
    const code = state.judge?.(credential) ?? 0;
    if (code) {
      ws.close(code);
      return;
    }
    ws.on("message", (data) => {
      const frame = JSON.parse(String(data));
      state.frames.push(frame);
      if (frame.type === "hello") ws.send(JSON.stringify({ ...welcome(frame), ...state.welcome }));
      state.onFrame(frame, ws);
    });
  });
  await new Promise((r) => http.listen(0, "127.0.0.1", () => r(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (http.address());
  state.base = `http://127.0.0.1:${address.port}`;
  state.close = async () => {
    for (const ws of wss.clients) ws.terminate();
    wss.close();
    http.closeAllConnections();
    await new Promise((r) => http.close(() => r(undefined)));
  };
  return state;
}

/** @param {any} hello */
const welcome = (hello) => ({
  type: "welcome", t: Date.now(), echo_t: hello.t, session: "x", word: "Maple ▲ green", resumed: Boolean(hello.resume), last_seq: hello.resume ? 7 : 0,
  resume: `tok${Math.random().toString(36).slice(2)}`, resume_ms: 30_000, lease_ms: 30_000, moving_ms: 10, still_ms: 20, min_ms: 5, beat_ms: 10_000, fence: "v1", purposes: ["assist"], fields: [],
});

/** @param {string} path @param {any} body @param {string} base @returns {[number, any]} */
function usual(path, body, base) {
  switch (path) {
    case "/v1/stores": return [200, { stores: [{ id: "s1", name: "Test store", fence: "v1", bbox: [3, 54, 3.0017, 54.001] }] }];
    case "/v1/stores/s1/fences/v1": return [200, FENCE];
    case "/v1/time": return [200, { t: Date.now() }];
    case "/v1/prompts": return [200, PROMPT];
    case "/v1/decisions": return [200, { record_id: "r1", state: body.choice === "no" ? "refused" : "given", receipt: "a.b.c", stop_token: "stop-1" }];
    case "/v1/tickets": return [200, { ticket: "dGlja2V0", url: `${base.replace("http", "ws")}/v1/session`, expires_t: Date.now() + 30_000, t: Date.now() }];
    case "/v1/withdrawals": return [200, { id: body.id, receipt: "w.b.c", change: 1, removed: { nodes: 2, consoles: 3, ms: 84 } }];
    case "/v1/me/export": return [200, { t: Date.now(), subject: "0".repeat(32), decisions: [], ends: [], notices_served: [], scopes: [], stop_tokens: [], journal: [{ kind: "export" }], visits: [], alerts: [], requests: [] }];
    case "/v1/erasures": return [200, { id: body.id, proof: "e.b.c" }];
    default: return [404, { code: "no_such_path", title: "No such path" }];
  }
}

/** Verifies a proof with Node's own cryptography, not the client's. @param {string} jws @param {string} method @param {string} url @param {string} auth */
function checkProof(jws, method, url, auth) {
  const [h, c, s] = /** @type {[string, string, string]} */ (jws.split("."));
  const header = JSON.parse(Buffer.from(h, "base64url").toString());
  const claims = JSON.parse(Buffer.from(c, "base64url").toString());
  const key = createPublicKey({ key: header.jwk, format: "jwk" });
  const good = verify("sha256", Buffer.from(`${h}.${c}`), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(s, "base64url"));
  const ath = createHash("sha256").update(auth.replace("Bearer ", "")).digest("base64url");
  if (!good || header.typ !== "dpop+jwt" || header.alg !== "ES256") throw new Error("bad proof");
  if (claims.htm !== method || claims.htu !== url || claims.ath !== ath) throw new Error(`proof for something else: ${claims.htm} ${claims.htu}`);
  return { header, claims };
}

/** Waits until a condition holds; fails after a while with its name. @param {string} what @param {() => unknown} holds @param {number} [ms] */
export async function until(what, holds, ms = 4_000) {
  const deadline = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((r) => setTimeout(r, 5));
  }
}
