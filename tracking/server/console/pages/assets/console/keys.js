// SPDX-License-Identifier: Apache-2.0

import { h } from "../lib/dom.js";
import { remember } from "../lib/i18n.js";

const KEY = "doorstep-keys";

/** Whether single keys do anything; people who talk to their computer switch them off. */
export function keysOn() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

/**
 * @typedef {"claim"|"hand_over"|"snooze"|"resolve"|"call"|"escalate"|"keep"} Act
 * @typedef {object} KeyActions
 * @property {(step: number) => void} move
 * @property {() => void} open
 * @property {(action: Act) => void} act  does nothing where the alert's menu does not offer it
 * @property {() => void} menu
 * @property {(nth: number) => void} level
 * @property {() => void} fit
 * @property {() => void} filter
 * @property {() => void} help
 * @property {() => void} leave
 */

/** @type {Record<string, Act>} */
const ACTS = { c: "claim", h: "hand_over", s: "snooze", r: "resolve", d: "call", e: "escalate", k: "keep" };

/** @param {KeyActions} actions @returns {() => void} to hear no more */
export function listen(actions) {
  const heard = (/** @type {KeyboardEvent} */ e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
    const typing = e.target instanceof HTMLInputElement || e.target instanceof HTMLSelectElement || e.target instanceof HTMLTextAreaElement;
    if (e.key === "Escape") {
      actions.leave();
      return;
    }
    if (typing || !keysOn()) return;
    if (handle(e.key, e.target, actions)) e.preventDefault();
  };
  document.addEventListener("keydown", heard);
  return () => document.removeEventListener("keydown", heard);
}

/** @param {string} key @param {EventTarget|null} target @param {KeyActions} actions */
function handle(key, target, actions) {
  const act = ACTS[key.toLowerCase()];
  if (act) actions.act(act);
  else if (key === "ArrowDown" || key === "ArrowUp") actions.move(key === "ArrowDown" ? 1 : -1);
  else if (key === "Enter" && !(target instanceof HTMLButtonElement)) actions.open();
  else if (/^[1-9]$/.test(key)) actions.level(Number(key));
  else if (key === "m" || key === "M") actions.menu();
  else if (key === "f" || key === "F") actions.fit();
  else if (key === "/") actions.filter();
  else if (key === "?") actions.help();
  else return false;
  return true;
}

/** The help on keys, with the switch. @param {import("../lib/i18n.js").Words} words */
export function keysHelp(words) {
  /** @type {[string, string][]} */
  const rows = [["↑ ↓", "k_move"], ["Enter", "k_open"], ["C", "claim"], ["H", "hand_over"], ["S", "snooze"], ["R", "resolve"], ["D", "call"], ["E", "escalate"], ["K", "keep"], ["M", "more"], ["1–9", "k_level"], ["F", "k_fit"], ["/", "filter"], ["?", "k_help"], ["Esc", "k_esc"]];
  const box = h("input", { type: "checkbox", onchange: () => remember(KEY, box.checked ? "on" : "off") });
  box.checked = keysOn();
  return h("div", {}, h("label", { class: "check" }, box, words.t("keys_on")),
    h("dl", { class: "keys" }, ...rows.flatMap(([k, w]) => [h("dt", {}, h("kbd", {}, k)), h("dd", {}, words.t(w))])));
}
