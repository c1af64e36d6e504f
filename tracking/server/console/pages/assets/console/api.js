// SPDX-License-Identifier: Apache-2.0

/** A refusal (RFC 9457), or no answer at all (status 0). */
export class Refusal extends Error {
  /** @param {number} status @param {any} body */
  constructor(status, body) {
    super(body?.title ?? "");
    this.status = status;
    this.code = String(body?.code ?? "");
    this.body = body ?? {};
  }
}

/**
 * @param {string} method @param {string} path @param {any} [body] @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
async function call(method, path, body, headers = {}) {
  /** @type {Response} */ let response;
  try {
    response = await fetch(path, {
      method, credentials: "same-origin", redirect: "error", signal: AbortSignal.timeout(10_000),
      headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal(0, {});
  }
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, answer);
  return answer;
}

/** @param {string} code @param {boolean} shared  on a device that several people use */
export const signIn = (code, shared) => call("POST", "/v1/staff/session", shared ? { code, shared } : { code });
export const signOut = () => call("DELETE", "/v1/staff/session");

/** @typedef {{person: string, role: string, store: {id: string, name: string}, lang?: string, lock_ms?: number}} Me */
/** Who is signed in; or why nobody can go on: nobody is ("session"), the device is locked, or a PIN is to be chosen. @returns {Promise<Me|"session"|"locked"|"pin_due">} */
export async function me() {
  try {
    return await call("GET", "/v1/staff/me");
  } catch (e) {
    if (e instanceof Refusal && (e.status === 401 || e.status === 403)) return e.code === "locked" || e.code === "pin_due" ? e.code : "session";
    throw e;
  }
}

/** @typedef {{person: string, tag: string, until_t: number}} Person  somebody who is signed in on this device */
/** Who can unlock this device. @returns {Promise<{people: Person[]}>} */
export const device = () => call("GET", "/v1/staff/device");
/** @param {string} pin  or what a badge says */
export const choosePIN = (pin) => call("PUT", "/v1/staff/session/pin", { pin });
export const lock = () => call("POST", "/v1/staff/session/lock");
/** @param {string} person @param {string} pin */
export const unlock = (person, pin) => call("POST", "/v1/staff/session/unlock", { person, pin });
export const floorMap = () => call("GET", "/v1/staff/map");

/**
 * Something that is to happen once. Without an answer it is not known whether it did: it is asked for again, under the same key.
 * @param {string} path @param {Record<string, unknown>} what @returns {Promise<{alert: any}>}
 */
async function once(path, what) {
  const key = { "Idempotency-Key": crypto.randomUUID() };
  try {
    return await call("POST", path, what, key);
  } catch (e) {
    if (e instanceof Refusal && e.status === 0) return call("POST", path, what, key);
    throw e;
  }
}

/** One step in an alert's life. @param {string} id @param {Record<string, unknown>} what */
export const act = (id, what) => once(`/v1/staff/alerts/${encodeURIComponent(id)}/actions`, what);
/** Tells whoever raised an alert that a desk is ready for them. @param {string} id @param {string} desk  a zone of the map */
export const callTo = (id, desk) => once(`/v1/staff/alerts/${encodeURIComponent(id)}/call`, { desk });

/** Who waits for somebody else to let them look in an emergency. @returns {Promise<{asked: import("./glass.js").Asked[]}>} */
export const glasses = () => call("GET", "/v1/staff/break-glass");
/** @param {{id: string, alert: string, reason: string}} what  the same id again is the same request */
export const askGlass = (what) => call("POST", "/v1/staff/break-glass", what);
/** @param {string} id of a request */
export const approveGlass = (id) => call("POST", `/v1/staff/break-glass/${encodeURIComponent(id)}/approve`);
