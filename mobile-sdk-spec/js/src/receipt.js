// SPDX-License-Identifier: Apache-2.0

import { fromBase64url, utf8 } from "./encoding.js";

/**
 * @typedef {object} Verdict
 * @property {"valid"|"invalid"|"unsupported"|"unknown_key"|"malformed"} verdict
 * @property {any} [claims]  what the receipt says; present whenever it could be read
 * @property {string} [kid]
 */

const EDDSA = "EdDSA";

/**
 * Checks a receipt or a proof against published keys, with this device's own cryptography.
 * "unsupported" means that this browser cannot check Ed25519 signatures, not that the receipt is bad.
 * @param {string} jws compact JWS @param {{keys: JsonWebKey[]}} jwks
 * @returns {Promise<Verdict>}
 */
export async function verifyReceipt(jws, jwks) {
  const parts = jws.split(".");
  /** @type {any} */ let header, claims;
  /** @type {Uint8Array<ArrayBuffer>} */ let signature;
  try {
    if (parts.length !== 3) throw new TypeError("not a compact JWS");
    header = read(/** @type {string} */ (parts[0]));
    claims = read(/** @type {string} */ (parts[1]));
    signature = fromBase64url(/** @type {string} */ (parts[2]));
  } catch {
    return { verdict: "malformed" };
  }
  if (header.alg !== EDDSA || header.crit !== undefined) return { verdict: "invalid", claims };
  const jwk = jwks.keys.find((k) => /** @type {any} */ (k).kid === header.kid && k.kty === "OKP" && k.crv === "Ed25519");
  if (!jwk) return { verdict: "unknown_key", claims, kid: header.kid };
  const key = await importKey(jwk);
  if (!key) return { verdict: "unsupported", claims, kid: header.kid };
  const good = await crypto.subtle.verify("Ed25519", key, signature, utf8(`${parts[0]}.${parts[1]}`));
  return { verdict: good ? "valid" : "invalid", claims, kid: header.kid };
}

/**
 * What a receipt or a proof says. It is worth something only once verifyReceipt has called it valid.
 * @param {string} jws @returns {any} null if it cannot be read
 */
export function claimsOf(jws) {
  try {
    return read(jws.split(".")[1] ?? "");
  } catch {
    return null;
  }
}

/** @param {string} text */
const read = (text) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fromBase64url(text)));

/** @param {JsonWebKey} jwk @returns {Promise<CryptoKey|null>} null when the platform does not know Ed25519 */
async function importKey(jwk) {
  const { kty, crv, x } = jwk;
  try {
    return await crypto.subtle.importKey("jwk", { kty, crv, x }, "Ed25519", false, ["verify"]);
  } catch (e) {
    if (e instanceof DOMException && e.name === "DataError") return Promise.reject(e);
    return null;
  }
}
