// SPDX-License-Identifier: Apache-2.0

import { h } from "../lib/dom.js";

/**
 * A question with a few large answers. Resolves to the chosen value, or null when put away; focus
 * goes back to where it was. An answer whose check fails leaves the question open.
 * @template T
 * @param {{title: string, text?: string, cancel: string, answers: {label: string, value: T, testid?: string, icon?: Node, check?: () => boolean}[], body?: Node}} what
 * @returns {Promise<T|null>}
 */
export function ask(what) {
  return new Promise((resolve) => {
    /** @type {T|null} */ let chosen = null;
    const dialog = h("dialog", { aria: { label: what.title }, onclose: () => { dialog.remove(); resolve(chosen); } },
      h("h2", { tabindex: -1, class: "hush", autofocus: true }, what.title),
      what.text ? h("p", { class: "muted" }, what.text) : null,
      what.body ?? null,
      h("div", { class: "answers" }, ...what.answers.map((a) => h("button", {
        type: "button", data: a.testid ? { testid: a.testid } : {}, onclick: () => {
          if (a.check && !a.check()) return;
          chosen = a.value;
          dialog.close();
        },
      }, a.icon ?? null, a.label))),
      h("div", { class: "row" }, h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, what.cancel)));
    dialog.addEventListener("click", (e) => { if (e.target === dialog) dialog.close(); });
    document.body.append(dialog);
    dialog.showModal();
  });
}
