// SPDX-License-Identifier: Apache-2.0

import { data, h, text } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { stopCode } from "./stopcode.js";

/**
 * @typedef {import("/assets/sdk/src/types.js").View} View
 * @typedef {import("/assets/sdk/src/types.js").Grant} Grant
 * @typedef {{words: import("../lib/i18n.js").Words, check: (jws: string) => Promise<{verdict: string, kid?: string}>}} ReceiptContext
 */

/**
 * The button that checks a receipt on this very device, and what came of it.
 * @param {ReceiptContext} context @param {string} jws @param {string} testid @returns {[HTMLElement, HTMLElement]}
 */
export function checker({ words, check }, jws, testid) {
  const verdict = h("p", { class: "small verdict", role: "status", data: { testid: "verdict" } });
  const button = h("button", {
    type: "button", data: { testid }, onclick: async () => {
      const { verdict: v, kid = "" } = await check(jws).catch(() => ({ verdict: "offline", kid: "" }));
      data(verdict, "verdict", v);
      text(verdict, words.t(`v_${v}`, { kid: kid.slice(0, 12) }));
    },
  }, words.t("check"));
  return [button, verdict];
}

/** A decision in force, and its end one tap away. @param {ReceiptContext & {withdraw: () => void}} context @param {Grant} grant */
export function decisionCard(context, grant) {
  const { words } = context;
  const when = grant.visitOnly || !grant.expiresT ? words.t("receipt_visit")
    : words.t("receipt_term", { t: new Intl.DateTimeFormat(words.lang, { dateStyle: "long" }).format(grant.expiresT) });
  const [button, verdict] = checker(context, grant.receipt, "check-decision");
  return h("section", { class: "panel", data: { testid: "decision-receipt" } }, h("h2", {}, words.t("receipt")),
    h("div", {}, h("p", {}, when), h("p", { class: "small muted" }, words.t("receipt_text"))),
    h("div", { class: "twin" }, button ?? null, h("button", { type: "button", data: { testid: "withdraw" }, onclick: context.withdraw }, words.t("withdraw"))), verdict ?? null,
    ...(grant.stopToken ? stopCode(words, grant.stopToken) : []));
}

/** @param {import("../lib/i18n.js").Words} words @param {string} key @param {number} n */
const counted = (words, key, n) => (n === 1 && words.has(`${key}_one`) ? words.t(`${key}_one`) : words.t(key, { n }));

/** One step of a stop, and whether it is true yet. @param {boolean} done @param {string} says */
export const line = (done, says) => h("li", { class: done ? "done" : "wait" }, done ? icon("tick") : h("i"), h("span", {}, says));

/** A withdrawal, line by line as it becomes true. @param {ReceiptContext & {act: (what: "stop_all") => void}} context @param {View} view @param {boolean} late the store has not answered for a while */
export function withdrawalCard(context, view, late) {
  const { words } = context;
  const w = view.withdrawal;
  if (view.stopRefused) return refusedCard(context, view.stopRefused.code, line(true, words.t("w_phone")));
  const lines = [line(true, words.t("w_phone"))];
  if (w) {
    lines.push(line(true, words.t("w_store", { ms: Math.max(1, Math.round(w.storeMs)) })));
    lines.push(line(true, words.t("w_removed", { nodes: counted(words, "servers", w.removed?.nodes ?? 0), consoles: counted(words, "screens", w.removed?.consoles ?? 0), ms: w.removed?.ms ?? 0 })));
  } else {
    lines.push(line(false, late ? words.t("w_offline") : words.t("w_store_wait")));
  }
  const [button, verdict] = w ? checker(context, w.receipt, "check") : [];
  return h("section", { class: "panel stopped", aria: { live: "polite" }, data: { testid: w ? "receipt" : "stopping" } },
    h("h2", {}, words.t("w_title")), h("ul", { class: "ticks" }, ...lines),
    w ? h("div", { class: "with-button" }, h("p", { class: "small muted" }, words.t("w_receipt")), button ?? null) : null, verdict ?? null);
}

/**
 * A withdrawal that the store cannot take as it is: said as loud as that it is stopped here, with what will be taken in any case.
 * @param {ReceiptContext & {act: (what: "stop_all") => void}} context @param {string} code @param {HTMLElement} phone  what is so already
 */
function refusedCard({ words, act }, code, phone) {
  return h("section", { class: "panel stopped", role: "alert", data: { testid: "stop-refused", code } }, h("h2", {}, words.t("w_title")),
    h("ul", { class: "ticks" }, phone, h("li", { class: "failed" }, icon("close"), h("span", {}, words.t("w_refused")))),
    h("p", { class: "small muted" }, words.t("w_refused_text")),
    h("button", { type: "button", class: "primary", data: { testid: "withdraw-all" }, onclick: () => act("stop_all") }, words.t("withdraw_all")));
}
