// SPDX-License-Identifier: Apache-2.0

import { Problem } from "./api.js";

/**
 * @typedef {object} Withdrawal
 * @property {import("./types.js").Scope} scope
 * @property {string} [store]
 * @property {string} [purpose]
 * @property {number} t
 * @property {string[]} stopTokens  each enough by itself
 *
 * @typedef {object} Confirmed
 * @property {string} id
 * @property {string} receipt
 * @property {import("./types.js").Removed} removed
 * @property {"http"|"socket"} via
 */

/**
 * Sends a withdrawal with the stop tokens first; if none is taken, with the shopper's own token.
 * @param {import("./api.js").Api} api
 * @returns {(pending: Withdrawal & {id: string}, n: number) => Promise<Confirmed>}
 */
export const sendWithdrawal = (api) => async ({ id, scope, store, purpose, t, stopTokens }, n) => {
  const body = { id, scope, t, ...(store ? { store } : {}), ...(purpose ? { purpose } : {}) };
  /** @param {string} [token] @returns {Promise<Confirmed>} */
  const send = async (token) => {
    const { receipt, removed } = await api.withdraw(body, token);
    return { id, receipt, removed, via: "http" };
  };
  for (const token of rotate(stopTokens, n)) {
    try {
      return await send(token);
    } catch (e) {
      if (e instanceof Problem && (e.passing || e.final)) throw e;
    }
  }
  return send();
};

/** @template T @param {T[]} list @param {number} n */
const rotate = (list, n) => list.map((_, i) => /** @type {T} */ (list[(i + n) % list.length]));
