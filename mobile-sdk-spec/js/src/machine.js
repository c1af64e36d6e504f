// SPDX-License-Identifier: Apache-2.0

/**
 * The life of sharing on one phone, as a table and nothing else: no clock, no I/O.
 *
 *   OFF ─notice→ ASKING ─given→ READY ─begin→ LOCAL ─inside→ CONNECTING ─welcome→ ENTERING ─active→ ACTIVE
 *                                              ↑  (radio silent)   ↑                         │   ↑
 *                                              │                BACKOFF ←─ retry close ──────┤   │ active
 *                                              ├─ lease over ──────┘                         ↓   │
 *                                              └─ back too late ─ PAUSED ←─ pause ──── SUSPENDED ┘
 *   anything ─withdraw→ STOPPING ─confirmed→ OFF                  anything open ─end→ ENDED
 *
 * @typedef {"OFF"|"ASKING"|"READY"|"LOCAL"|"CONNECTING"|"ENTERING"|"ACTIVE"|"SUSPENDED"|"PAUSED"|"BACKOFF"|"STOPPING"|"ENDED"} State
 * @typedef {"notice"|"given"|"declined"|"begin"|"inside"|"welcome"|"entering"|"active"|"suspended"|"end"|"lost"|"again"
 *   |"lease_over"|"give_up"|"pause"|"back"|"back_late"|"obstacle"|"cancel"|"ungranted"|"withdraw"|"confirmed"} Step
 */

/** @type {readonly State[]} */
export const STATES = ["OFF", "ASKING", "READY", "LOCAL", "CONNECTING", "ENTERING", "ACTIVE", "SUSPENDED", "PAUSED", "BACKOFF", "STOPPING", "ENDED"];

/** States in which a session is open or being opened. @type {ReadonlySet<State>} */
export const OPEN = new Set(["CONNECTING", "ENTERING", "ACTIVE", "SUSPENDED", "BACKOFF"]);

/** States in which the phone may read its location at all. @type {ReadonlySet<State>} */
export const LOCATING = new Set([...OPEN, "LOCAL"]);

/** @type {Partial<Record<Step, Partial<Record<State, State>>>>} */
const TABLE = {
  notice: { OFF: "ASKING", READY: "ASKING", ENDED: "ASKING" },
  given: { ASKING: "READY" },
  declined: { ASKING: "OFF" },
  begin: { READY: "LOCAL", ENDED: "LOCAL" },
  inside: { LOCAL: "CONNECTING" },
  welcome: { CONNECTING: "ENTERING" },
  entering: { ENTERING: "ENTERING", ACTIVE: "ENTERING", SUSPENDED: "ENTERING" },
  active: { ENTERING: "ACTIVE", SUSPENDED: "ACTIVE", ACTIVE: "ACTIVE" },
  suspended: { ACTIVE: "SUSPENDED", ENTERING: "SUSPENDED", SUSPENDED: "SUSPENDED" },
  lost: { CONNECTING: "BACKOFF", ENTERING: "BACKOFF", ACTIVE: "BACKOFF", SUSPENDED: "BACKOFF" },
  again: { BACKOFF: "CONNECTING" },
  lease_over: { BACKOFF: "LOCAL" },
  give_up: { BACKOFF: "READY", LOCAL: "READY" },
  obstacle: { CONNECTING: "LOCAL", BACKOFF: "LOCAL" },
  back: { PAUSED: "CONNECTING" },
  back_late: { PAUSED: "LOCAL" },
  ungranted: { ENDED: "OFF", READY: "OFF" },
  confirmed: { STOPPING: "OFF" },
};

/**
 * The state after a step, or null if the step means nothing in this state.
 * @param {State} state @param {Step} step @returns {State|null}
 */
export function next(state, step) {
  switch (step) {
    case "withdraw":
      return "STOPPING";
    case "end":
      return OPEN.has(state) || state === "PAUSED" || state === "LOCAL" ? "ENDED" : null;
    case "pause":
      return LOCATING.has(state) ? "PAUSED" : null;
    case "cancel":
      return LOCATING.has(state) || state === "PAUSED" || state === "ENDED" ? "READY" : null;
    default:
      return TABLE[step]?.[state] ?? null;
  }
}
