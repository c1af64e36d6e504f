// SPDX-License-Identifier: Apache-2.0

import { h } from "../lib/dom.js";

/**
 * The question, alone on the screen: one purpose, four answers of the same size and look, none of
 * them chosen beforehand. What is put on the screen here is what the decision's digest covers.
 *
 * @typedef {import("/assets/sdk/src/types.js").Prompt} Prompt
 * @typedef {import("/assets/sdk/src/types.js").PromptChoice["choice"]} Choice
 *
 * @param {Prompt} prompt @param {import("../lib/i18n.js").Words} words
 * @param {(choice: Choice) => void} decide
 */
export function promptSheet(prompt, words, decide) {
  const title = h("h1", { tabindex: -1, class: "hush" }, prompt.title);
  const sheet = h("section", { class: "prompt", role: "dialog", aria: { modal: "true", label: prompt.title }, lang: prompt.notice.lang, dir: prompt.notice.dir ?? "ltr", data: { testid: "prompt" } },
    h("div", { class: "reading" },
      h("p", { class: "small muted" }, words.t("step")),
      title,
      h("dl", {}, ...prompt.blocks.flatMap((b) => [h("dt", {}, b.title), h("dd", {}, b.text, ...links(b.links))]))),
    h("div", { class: "choices" }, ...prompt.choices.map(({ choice, label }) => h("button", {
      type: "button", data: { testid: `choice-${choice.replace("_", "-")}` }, onclick: () => { lock(sheet); decide(choice); },
    }, label))));
  queueMicrotask(() => title.focus({ preventScroll: true }));
  return sheet;
}

/** One answer is one answer. @param {HTMLElement} sheet */
function lock(sheet) {
  for (const b of sheet.querySelectorAll("button")) b.disabled = true;
}

/** @param {unknown} list @returns {Node[]} */
function links(list) {
  if (!Array.isArray(list)) return [];
  return list.filter((l) => /^https?:\/\//.test(l?.href ?? "")).map((l) =>
    h("p", {}, h("a", { href: l.href, target: "_blank", rel: "noopener noreferrer" }, String(l.title ?? l.href))));
}
