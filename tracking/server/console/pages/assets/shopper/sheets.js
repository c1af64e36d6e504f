// SPDX-License-Identifier: Apache-2.0

import { h } from "../lib/dom.js";

const TOPICS = ["question", "fitting", "find", "pay"];

/**
 * A sheet from below, over everything else on the phone; resolves when it is put away. Focus goes
 * in, and back to where it was.
 * @template T
 * @param {HTMLElement} over @param {string} title @param {string} cancel @param {(done: (value: T) => void) => HTMLElement[]} fill
 * @returns {Promise<T|null>}
 */
function sheet(over, title, cancel, fill) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const others = [...(over.parentElement?.children ?? [])].filter((e) => e !== over && !e.classList.contains("indicator"));
    /** @param {T|null} value */
    const put = (value) => {
      el.remove();
      over.onclick = null;
      for (const o of others) o.toggleAttribute("inert", false);
      if (before instanceof HTMLElement) before.focus();
      resolve(value);
    };
    const heading = h("h2", { tabindex: -1, class: "hush" }, title);
    const el = h("section", {
      class: "sheet", role: "dialog", aria: { modal: "true", label: title }, onkeydown: (/** @type {KeyboardEvent} */ e) => { if (e.key === "Escape") put(null); },
    }, heading, ...fill(put), h("button", { type: "button", class: "quiet", onclick: () => put(null) }, cancel));
    for (const o of others) o.toggleAttribute("inert", true);
    over.onclick = (e) => { if (e.target === over) put(null); };
    over.replaceChildren(el);
    heading.focus({ preventScroll: true });
  });
}

/** What help is needed with. @param {HTMLElement} over @param {import("../lib/i18n.js").Words} words @returns {Promise<{topic: string, showMe: boolean}|null>} */
export function askTopic(over, words) {
  return sheet(over, words.t("call_title"), words.t("cancel"), (done) => {
    const box = h("input", { type: "checkbox", data: { testid: "show-me" } });
    return [h("div", { class: "answers" }, ...TOPICS.map((topic) => h("button", {
      type: "button", data: { testid: `topic-${topic}` }, onclick: () => done({ topic, showMe: box.checked }),
    }, words.t(`topic_${topic}`)))), h("label", { class: "check" }, box, h("span", {}, words.t("show_me")))];
  });
}

/**
 * Whether everything is to be erased, after saying what goes, what stays and why. Putting the sheet away is a no.
 * @param {HTMLElement} over @param {import("../lib/i18n.js").Words} words @returns {Promise<true|null>}
 */
export function askErase(over, words) {
  /** @param {string} title @param {string[]} rows */
  const list = (title, ...rows) => h("section", {}, h("h3", {}, words.t(title)), h("ul", { class: "points small" }, ...rows.map((r) => h("li", {}, words.t(r)))));
  return sheet(over, words.t("e_title"), words.t("cancel"), (done) => [h("div", { class: "terms", data: { testid: "erase-terms" } },
    h("p", {}, words.t("e_first")),
    list("e_gone", "e_gone_where", "e_gone_decisions", "e_gone_visits"),
    list("e_kept", "e_kept_proof", "e_kept_log", "e_kept_feed", "e_kept_shared"),
    h("p", { class: "small muted" }, words.t("e_after"))),
  h("div", { class: "answers" }, h("button", { type: "button", class: "grave", data: { testid: "erase-all" }, onclick: () => done(true) }, words.t("e_do")))]);
}

/** An appointment or an order. @param {HTMLElement} over @param {import("../lib/i18n.js").Words} words @returns {Promise<{kind: "appointment"|"pickup", ref: string}|null>} */
export function askVisit(over, words) {
  return sheet(over, words.t("here_title"), words.t("cancel"), (done) => {
    const field = h("input", { maxlength: 64, autocomplete: "off", spellcheck: "false", data: { testid: "ref" } });
    /** @param {"appointment"|"pickup"} kind */
    const choice = (kind) => h("button", { type: "button", data: { testid: `here-${kind}` }, onclick: () => done({ kind, ref: field.value.trim() }) }, words.t(kind));
    return [h("label", { class: "field" }, words.t("ref"), field), h("p", { class: "small muted" }, words.t("ref_text")), h("div", { class: "answers" }, choice("appointment"), choice("pickup"))];
  });
}
