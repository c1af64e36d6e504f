// SPDX-License-Identifier: Apache-2.0

/**
 * What a close means. A client never guesses: a code is in one of two ranges.
 * @typedef {object} CloseRule
 * @property {string} name
 * @property {boolean} retry
 * @property {"decision"|"user"|"token"|"update"|"permission"|"opens"|""} clears  what ends a terminal state
 */

/** @type {ReadonlyMap<number, CloseRule>} */
const TABLE = new Map([
  [1000, rule("goodbye", false, "user")],
  [1001, rule("going_away", true)],
  [1002, rule("protocol_error", false, "update")],
  [1003, rule("unsupported", false, "update")],
  [1005, rule("no_code", true)],
  [1006, rule("lost", true)],
  [1007, rule("bad_text", false, "update")],
  [1008, rule("policy", false, "update")],
  [1009, rule("too_big", false, "update")],
  [1010, rule("extension", false, "update")],
  [1011, rule("server_error", true)],
  [1012, rule("restarting", true)],
  [1013, rule("try_later", true)],
  [1015, rule("tls", true)],
  [4001, rule("shutting_down", true)],
  [4002, rule("too_slow", true)],
  [4003, rule("no_answer", true)],
  [4004, rule("rate", true)],
  [4005, rule("unavailable", true)],
  [4006, rule("token_expired", true)],
  [4500, rule("withdrawn", false, "decision")],
  [4501, rule("left_store", false, "user")],
  [4502, rule("bad_token", false, "token")],
  [4503, rule("bad_protocol", false, "update")],
  [4504, rule("no_grant", false, "decision")],
  [4505, rule("approximate", false, "permission")],
  [4506, rule("replaced", false, "user")],
  [4507, rule("store_closed", false, "opens")],
  [4508, rule("nobody_on_duty", false, "opens")],
  [4509, rule("app_suspended", false, "update")],
]);

/** @param {string} name @param {boolean} retry @param {CloseRule["clears"]} [clears] @returns {CloseRule} */
function rule(name, retry, clears = "") {
  return { name, retry, clears };
}

/**
 * The rule for a close code. Unknown 40xx–44xx may be tried again; 45xx and up, and whatever else
 * nobody has defined, may not.
 * @param {number} code @returns {CloseRule}
 */
export function closeRule(code) {
  const known = TABLE.get(code);
  if (known) return known;
  if (code >= 4000 && code < 4500) return rule(`unknown_${code}`, true);
  return rule(`unknown_${code}`, false, "update");
}

/** Every code of the table, for tests and documentation. */
export const closeCodes = () => [...TABLE.keys()];

/** Figures of the way back. */
export const BACKOFF = { firstMs: 500, mostMs: 20_000, resetAfterMs: 60_000, giveUpMs: 30 * 60_000 };

/**
 * How long to wait before attempt n (0 for the first), at least what the server asked for.
 * @param {number} n @param {number} retryMs @param {() => number} random
 */
export function backoffMs(n, retryMs, random) {
  const ceiling = Math.min(BACKOFF.mostMs, BACKOFF.firstMs * 2 ** Math.min(n, 16));
  return Math.max(retryMs, random() * ceiling);
}
