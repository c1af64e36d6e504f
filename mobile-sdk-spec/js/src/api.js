// SPDX-License-Identifier: Apache-2.0

/** A refusal of the server (RFC 9457), or the lack of an answer (status 0, code "offline"). */
export class Problem extends Error {
  /** @param {number} status @param {any} [body] */
  constructor(status, body = {}) {
    super(body.detail || body.title || body.code || `HTTP ${status}`);
    this.name = "Problem";
    this.status = status;
    /** @type {string} */ this.code = String(body.code ?? (status === 0 ? "offline" : "http"));
    /** @type {string} */ this.title = String(body.title ?? "");
    /** @type {string} */ this.remedy = String(body.remedy ?? "");
    /** @type {number} */ this.retryMs = Number(body.retry_ms ?? 0);
    /** @type {any} */ this.body = body;
  }

  /** Whether the same request may succeed later without anybody doing anything. */
  get passing() { return this.status === 0 || this.status === 429 || this.status >= 500; }

  /** Whether it will be answered the same for good: somebody has to mend the request. A token can be replaced. */
  get final() { return this.status >= 400 && this.status < 500 && ![401, 403, 408, 429].includes(this.status); }
}

/** How long to wait for an answer. */
const TIMEOUT_MS = 10_000;

/**
 * The HTTP half of the protocol. No id, token or coordinate is ever put into an address.
 *
 * @typedef {"none"|"bearer"|"proof"} Auth
 * @typedef {object} ApiConfig
 * @property {string} baseUrl  scheme and host, no trailing slash
 * @property {(fresh: boolean) => Promise<string>} token  the shopper's token, from the app; fresh: the last one was refused
 * @property {import("./key.js").InstallationKey} key
 * @property {import("./clock.js").ServerClock} clock
 * @property {typeof fetch} fetch
 */
export class Api {
  /** @param {ApiConfig} config */
  constructor(config) {
    this.config = config;
  }

  stores() { return this.#call("GET", "/v1/stores", "none"); }
  /** @param {string} store @param {string} version */
  fence(store, version) { return this.#call("GET", `/v1/stores/${seg(store)}/fences/${seg(version)}`, "none"); }
  /** @param {string} store @param {string} version */
  map(store, version) { return this.#call("GET", `/v1/stores/${seg(store)}/maps/${seg(version)}`, "none"); }
  /** @param {string} store */
  cards(store) { return this.#call("GET", `/v1/cards/${seg(store)}`, "none"); }
  /** @param {string} store */
  quiet(store) { return this.#call("GET", `/v1/quiet/${seg(store)}`, "none"); }
  jwks() { return this.#call("GET", "/.well-known/jwks.json", "none"); }
  time() { return this.#call("GET", "/v1/time", "none"); }
  /** @returns {Promise<{purposes: {id: string, pocket_minutes?: number}[]}>} */
  rules() { return this.#call("GET", "/v1/rules", "none"); }
  /** @param {Record<string, unknown>} body @returns {Promise<import("./types.js").Prompt>} */
  prompt(body) { return this.#call("POST", "/v1/prompts", "proof", body); }
  /** @param {Record<string, unknown>} body @returns {Promise<import("./types.js").Decision>} */
  decide(body) { return this.#call("POST", "/v1/decisions", "proof", body); }
  /** @param {string} store @param {string[]} purposes @returns {Promise<{ticket: string, url: string, expires_t: number, t: number}>} */
  ticket(store, purposes) { return this.#call("POST", "/v1/tickets", "proof", { store, purposes }); }
  /** @param {string} after where the page before said that the next one begins @returns {Promise<{entries?: any[], next?: string}>} */
  journal(after) { return this.#call("GET", after ? `/v1/journal?after=${seg(after)}` : "/v1/journal", "proof"); }
  /** @returns {Promise<import("./types.js").Export>} */
  export() { return this.#call("GET", "/v1/me/export", "proof"); }
  /** @param {string} id of the app's own making @returns {Promise<import("./types.js").Erasure>} */
  erase(id) { return this.#call("POST", "/v1/erasures", "proof", { id }); }
  /** @param {string} store */
  me(store) { return this.#call("GET", `/v1/me?store=${seg(store)}`, "proof"); }

  /**
   * Withdraws with whatever there is: the stop token alone, else the shopper's token and a proof.
   * @param {Record<string, unknown>} body @param {string} [stopToken]
   * @returns {Promise<{id: string, receipt: string, change: number, removed: import("./types.js").Removed}>}
   */
  withdraw(body, stopToken) {
    if (!stopToken) return this.#call("POST", "/v1/withdrawals", "proof", body);
    return this.#send("POST", "/v1/withdrawals", { Authorization: `Stop ${stopToken}` }, body);
  }

  /** A fetch of an address that the server named (a new map). @param {string} url */
  async get(url) {
    return this.#send("GET", new URL(url, this.config.baseUrl).pathname, {});
  }

  /**
   * @param {string} method @param {string} path @param {Auth} auth @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async #call(method, path, auth, body) {
    try {
      return await this.#send(method, path, await this.#headers(method, path, auth, false), body);
    } catch (e) {
      // Two refusals mend themselves, once: a wrong clock and a token that has run out.
      if (!(e instanceof Problem) || e.status !== 401 || auth === "none") throw e;
      if (e.code === "proof_time" && !e.body.t) throw e;
      const headers = await this.#headers(method, path, auth, e.code !== "proof_time");
      return this.#send(method, path, headers, body);
    }
  }

  /** @param {string} method @param {string} path @param {Auth} auth @param {boolean} fresh @returns {Promise<Record<string, string>>} */
  async #headers(method, path, auth, fresh) {
    if (auth === "none") return {};
    const token = await this.config.token(fresh);
    const headers = { Authorization: `Bearer ${token}` };
    if (auth === "bearer") return headers;
    const { key, clock, baseUrl } = this.config;
    return { ...headers, DPoP: await key.proof({ method, url: baseUrl + path, token, now: clock.now() }) };
  }

  /** @param {string} method @param {string} path @param {Record<string, string>} headers @param {unknown} [body] @returns {Promise<any>} */
  async #send(method, path, headers, body) {
    const { clock, baseUrl } = this.config;
    const sentAt = clock.env.mono();
    /** @type {Response} */ let response;
    /** @type {any} */ let answer;
    try {
      response = await this.config.fetch(baseUrl + path, {
        method,
        headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "omit", referrerPolicy: "no-referrer", redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      answer = text ? parse(text) : {};
    } catch (cause) {
      throw new Problem(0, { title: "The store's server cannot be reached", detail: String(cause) });
    }
    if (typeof answer?.t === "number") {
      if (answer.code === "proof_time") clock.reset();
      clock.sample(answer.t, sentAt, clock.env.mono());
    }
    if (!response.ok) throw new Problem(response.status, answer);
    return answer;
  }
}

/** @param {string} text */
const seg = (text) => encodeURIComponent(text);

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
