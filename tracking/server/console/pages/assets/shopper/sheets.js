// SPDX-License-Identifier: Apache-2.0

import { h } from "../lib/dom.js";

const TOPICS = ["question", "fitting", "find", "pay"];

/**
 * A sheet from below; resolves when it is put away.
 * @template T
 * @param {string} title @param {string} cancel @param {(done: (value: T) => void) => import("../lib/dom.js").Child[]} fill
 * @returns {Promise<T|null>}
 */
function sheet(title, cancel, fill) {
  return new Promise((resolve) => {
    /** @type {T|null} */ let chosen = null;
    const dialog = h("dialog", { class: "rising", aria: { label: title }, onclose: () => { dialog.remove(); resolve(chosen); } });
    dialog.append(h("h2", { tabindex: -1, class: "hush", autofocus: true }, title), ...fill((value) => { chosen = value; dialog.close(); }).filter((c) => c instanceof Node),
      h("div", { class: "row" }, h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, cancel)));
    dialog.addEventListener("click", (e) => { if (e.target === dialog) dialog.close(); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** What help is needed with. @param {import("../lib/i18n.js").Words} words @returns {Promise<{topic: string, showMe: boolean}|null>} */
export function askTopic(words) {
  return sheet(words.t("call_title"), words.t("cancel"), (done) => {
    const box = h("input", { type: "checkbox", data: { testid: "show-me" } });
    return [h("div", { class: "answers" }, ...TOPICS.map((topic) => h("button", {
      type: "button", data: { testid: `topic-${topic}` }, onclick: () => done({ topic, showMe: box.checked }),
    }, words.t(`topic_${topic}`)))), h("label", { class: "check" }, box, h("span", {}, words.t("show_me")))];
  });
}

/** An appointment or an order. @param {import("../lib/i18n.js").Words} words @returns {Promise<{kind: "appointment"|"pickup", ref: string}|null>} */
export function askVisit(words) {
  return sheet(words.t("here_title"), words.t("cancel"), (done) => {
    const field = h("input", { maxlength: 64, autocomplete: "off", spellcheck: "false", data: { testid: "ref" } });
    /** @param {"appointment"|"pickup"} kind */
    const choice = (kind) => h("button", { type: "button", data: { testid: `here-${kind}` }, onclick: () => done({ kind, ref: field.value.trim() }) }, words.t(kind));
    return [h("label", { class: "field" }, words.t("ref"), field), h("p", { class: "small muted" }, words.t("ref_text")), h("div", { class: "answers" }, choice("appointment"), choice("pickup"))];
  });
}
