// SPDX-License-Identifier: Apache-2.0

import { data, h, show, text } from "../lib/dom.js";
import { ask } from "./dialogs.js";

/**
 * Which desk is ready. The one that was booked, or that somebody was called to last, is there already.
 * @param {import("../lib/i18n.js").Words} words @param {{level: string, zones: {id: string, name: string}[]}[]} levels @param {string} likely
 * @returns {Promise<string|null>} the id of a zone
 */
export async function askDesk(words, levels, likely) {
  const problem = h("p", { class: "problem", role: "alert", id: "desk-problem", hidden: true });
  const field = h("select", { data: { testid: "desk" }, aria: { describedby: "desk-problem" } }, h("option", { value: "" }, words.t("call_choose")),
    ...levels.flatMap(({ level, zones }) => {
      const options = zones.map((z) => h("option", { value: z.id, selected: z.id === likely }, z.name));
      return levels.length > 1 ? [h("optgroup", { label: level }, ...options)] : options;
    }));
  const check = () => {
    const none = field.value === "";
    text(problem, none ? words.t("call_choose") : "");
    show(problem, none);
    data(field, "bad", none ? "1" : null);
    if (none) field.focus();
    return !none;
  };
  const asked = await ask({
    title: words.t("call_title"), text: words.t("call_text"), cancel: words.t("cancel"), answers: [{ label: words.t("call_send"), value: true, testid: "call-send", check }],
    body: h("div", { class: "terms" }, h("label", { class: "field" }, words.t("call_desk"), field), problem),
  });
  return asked ? field.value : null;
}
