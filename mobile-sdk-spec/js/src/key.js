// SPDX-License-Identifier: Apache-2.0

import { base64url, sha256url, utf8 } from "./encoding.js";

/** The place of the key pair in the store. */
const SLOT = "installation";
const CURVE = { name: "ECDSA", namedCurve: "P-256" };

/**
 * The key that the app made when it was installed. Its RFC 7638 thumbprint is the installation's
 * id: the same phone keeps it, another phone cannot have it.
 */
export class InstallationKey {
  /** @param {CryptoKeyPair} pair @param {{crv: string, kty: string, x: string, y: string}} jwk @param {string} thumbprint */
  constructor(pair, jwk, thumbprint) {
    this.pair = pair;
    /** The public key, as it stands in a proof's header. */
    this.jwk = jwk;
    this.thumbprint = thumbprint;
  }

  /** Takes the pair from the store, or makes one. @param {import("./storage.js").Store} store */
  static async load(store) {
    /** @type {CryptoKeyPair|undefined} */
    let pair = await store.get(SLOT);
    if (!pair) {
      pair = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
      await store.set(SLOT, pair);
    }
    const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    // RFC 7638 §3.2: the required members, in this order, nothing else.
    const jwk = { crv: "P-256", kty: "EC", x, y };
    return new InstallationKey(pair, jwk, await sha256url(JSON.stringify(jwk)));
  }

  /**
   * A proof of possession (RFC 9449) for one request.
   * @param {{method: string, url: string, token?: string, now: number}} what  now: server time, ms
   * @returns {Promise<string>} a compact JWS
   */
  async proof({ method, url, token, now }) {
    const claims = {
      jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
      htm: method,
      htu: url.replace(/[?#].*$/, ""),
      iat: Math.floor(now / 1000),
      ...(token === undefined ? {} : { ath: await sha256url(token) }),
    };
    const header = { typ: "dpop+jwt", alg: "ES256", jwk: this.jwk };
    const body = `${part(header)}.${part(claims)}`;
    const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, this.pair.privateKey, utf8(body));
    return `${body}.${base64url(signature)}`;
  }
}

/** @param {unknown} value */
const part = (value) => base64url(utf8(JSON.stringify(value)));
