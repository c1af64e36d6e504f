// SPDX-License-Identifier: Apache-2.0

/**
 * Plays the retailer's own backend, which would mint the shopper's token: a one-time code is
 * exchanged for a token and for the means to renew it in this tab.
 */
const KEY = "doorstep-demo-renew";
const EARLY_MS = 60_000;

/** The code was refused, or (status 0) nobody answered. */
export class NoToken extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`no token: ${status}`);
    this.status = status;
  }
}

export class DemoTokens {
  constructor() {
    this.token = "";
    this.expires = 0;
    this.store = "";
    this.renew = sessionStorage.getItem(KEY) ?? "";
  }

  /** Whether this tab can have a token without a code. */
  get renewable() { return this.renew !== ""; }

  /** @param {string} code */
  async redeem(code) { await this.#ask({ code }); }

  /** A token that lasts a while yet. @param {boolean} fresh the last one was refused @returns {Promise<string>} */
  async get(fresh) {
    if (fresh || performance.now() > this.expires - EARLY_MS) await this.#ask({ renew: this.renew });
    return this.token;
  }

  /** @param {{code: string}|{renew: string}} body */
  async #ask(body) {
    /** @type {Response} */ let response;
    try {
      response = await fetch("/v1/demo/shopper", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    } catch {
      throw new NoToken(0);
    }
    if (!response.ok) {
      if (response.status === 401) this.#keep("");
      throw new NoToken(response.status);
    }
    const answer = await response.json();
    const t = Date.parse(response.headers.get("Date") ?? "");
    this.token = answer.token;
    this.store = answer.store;
    // The token's life by the server's own clock: this device's may be anything.
    this.expires = performance.now() + (Number.isFinite(t) ? answer.expires_t - t : 10 * 60_000);
    if (answer.renew) this.#keep(answer.renew);
  }

  /** @param {string} renew */
  #keep(renew) {
    this.renew = renew;
    if (renew) sessionStorage.setItem(KEY, renew);
    else sessionStorage.removeItem(KEY);
  }
}
