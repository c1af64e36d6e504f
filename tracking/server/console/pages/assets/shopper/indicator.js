// SPDX-License-Identifier: Apache-2.0

import { attribute, data, h, place, s, text } from "../lib/dom.js";

/**
 * The strip that always says whether anybody can see this phone.
 *
 * @typedef {import("/assets/sdk/src/types.js").View} View
 * @typedef {"off"|"starting"|"active"|"seen"|"suspended"|"reconnecting"|"stopped"} Sign
 * @typedef {{sign: Sign, says: string, act: "stop"|"not_now"|"go_on"|"ok"|null}} Said
 */

/** ○ ◐ ● ◉ ◫ ◌ ■, in a box of 20. @type {Record<Sign, [string, string][]>} each a class and a path */
const SHAPES = {
  off: [["line", "M10 2.500a7.500 7.500 0 1 1 0 15 7.500 7.500 0 0 1 0-15Z"]],
  starting: [["line", "M10 2.500a7.500 7.500 0 1 1 0 15 7.500 7.500 0 0 1 0-15Z"], ["fill", "M10 2.500a7.500 7.500 0 0 0 0 15Z"]],
  active: [["fill", "M10 1.700a8.300 8.300 0 1 1 0 16.600 8.300 8.300 0 0 1 0-16.600Z"]],
  seen: [["line", "M10 1.700a8.300 8.300 0 1 1 0 16.600 8.300 8.300 0 0 1 0-16.600Z"], ["fill", "M10 5.500a4.500 4.500 0 1 1 0 9 4.500 4.500 0 0 1 0-9Z"]],
  suspended: [["line", "M2.500 2.500h15v15h-15ZM10 2.500v15"]],
  reconnecting: [["line dash", "M10 2.500a7.500 7.500 0 1 1 0 15 7.500 7.500 0 0 1 0-15Z"]],
  stopped: [["fill", "M3 3h14v14H3Z"]],
};

/**
 * What the strip says in each state of the client.
 * @param {View} view @param {import("../lib/i18n.js").Words} words @param {string} store its name
 * @param {Record<string, string>} ends the notice's own words for each end
 * @returns {Said}
 */
export function said(view, words, store, ends) {
  switch (view.state) {
    case "CONNECTING": case "ENTERING":
      return { sign: "starting", says: words.t("i_starting"), act: "stop" };
    case "ACTIVE":
      return view.seen
        ? { sign: "seen", says: words.t(view.seen.emergency ? "i_emergency" : "i_seen", { team: view.seen.team ? words.t("team", { team: view.seen.team }) : words.t("staff") }), act: "not_now" }
        : { sign: "active", says: words.t("i_active", { store }), act: "stop" };
    case "SUSPENDED":
      return { sign: "suspended", says: words.t("i_suspended"), act: "stop" };
    case "BACKOFF":
      return { sign: "reconnecting", says: words.t("i_reconnecting"), act: "stop" };
    case "PAUSED":
      return { sign: "off", says: words.t("i_paused"), act: "go_on" };
    case "STOPPING":
      return { sign: "stopped", says: words.t("i_stopping"), act: null };
    case "LOCAL":
      return { sign: "off", says: words.t("i_local"), act: "stop" };
    default:
      return view.end ? { sign: "stopped", says: stopped(view.end, words, ends), act: "ok" } : { sign: "off", says: words.t("i_off"), act: null };
  }
}

/** "Stopped 14:03: you left" @param {NonNullable<View["end"]>} end @param {import("../lib/i18n.js").Words} words @param {Record<string, string>} ends */
function stopped(end, words, ends) {
  const key = `end_${end.reason}`;
  if (!words.has(key) && ends[end.reason]) return `${ends[end.reason]} (${words.time(end.t)})`;
  return words.t("i_stopped", { t: words.time(end.t), why: words.t(words.has(key) ? key : "end_other") });
}

export class Indicator {
  /** @param {import("../lib/i18n.js").Words} words @param {(act: NonNullable<Said["act"]>) => void} onAct */
  constructor(words, onAct) {
    this.words = words;
    this.sign = h("span", { class: "sign" });
    this.says = h("span", { class: "says" });
    this.act = h("button", { type: "button", class: "act", onclick: () => { if (this.last?.act) onAct(this.last.act); } });
    /** @type {Said|null} */ this.last = null;
    this.second = h("button", { type: "button", class: "act", hidden: true, onclick: () => onAct("stop") }, words.t("stop"));
    this.el = h("div", { class: "indicator", role: "status", data: { testid: "indicator" } }, this.sign, this.says, this.act, this.second);
    this.placeSign = place(this.sign);
  }

  /** @param {Said} now */
  set(now) {
    this.last = now;
    data(this.el, "state", now.sign);
    this.placeSign(now.sign, () => [s("svg", { viewBox: "0 0 20 20", aria: { hidden: true } }, ...SHAPES[now.sign].map(([cls, d]) => s("path", { class: cls, d })))]);
    text(this.says, now.says);
    attribute(this.act, "hidden", now.act === null);
    // Stop is one tap in every state in which there is something to stop.
    attribute(this.second, "hidden", now.act !== "not_now" && now.act !== "go_on");
    data(this.second, "testid", now.act === "not_now" || now.act === "go_on" ? "stop" : null);
    if (now.act === null) return;
    text(this.act, this.words.t(now.act));
    data(this.act, "testid", now.act.replace("_", "-"));
    data(this.act, "act", now.act);
  }
}
