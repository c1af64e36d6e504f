// SPDX-License-Identifier: Apache-2.0

import { claimsOf } from "/assets/sdk/src/index.js";
import { attribute, h, text } from "../lib/dom.js";
import { dayOf, save } from "../lib/save.js";
import { checker, line } from "./receipt.js";

/**
 * @typedef {import("/assets/sdk/src/types.js").View} View
 * @typedef {import("/assets/sdk/src/types.js").ErasureClaims} ErasureClaims
 * @typedef {import("./receipt.js").ReceiptContext & {download: () => Promise<string>, act: (what: "erase"|"forget_proof") => void}} RightsContext
 */

/** What anybody may ask for about themselves: all of it in a file, or that it goes. */
export class DataCard {
  /** @param {RightsContext} context */
  constructor(context) {
    const { words, act } = context;
    this.words = words;
    this.said = h("p", { class: "small", role: "status", data: { testid: "export-said" } });
    this.export = h("button", { type: "button", data: { testid: "export" }, onclick: () => void this.#download(context) }, words.t("export"));
    this.erase = h("button", { type: "button", data: { testid: "erase" }, onclick: () => { if (!this.busy) act("erase"); } }, words.t("erase"));
    this.busy = false;
    this.el = h("section", { class: "panel", data: { testid: "my-data" } }, h("h2", {}, words.t("my_data")), h("p", { class: "small muted" }, words.t("my_data_text")),
      h("div", { class: "twin" }, this.export, this.erase), this.said);
  }

  /** While an erasure is under way there is nothing else to ask for. @param {View} view */
  set(view) {
    this.#wait(view.erasing);
    if (view.erasing) text(this.said, "");
  }

  /** @param {boolean} busy */
  #wait(busy) {
    this.busy = busy;
    for (const b of [this.export, this.erase]) attribute(b, "aria-disabled", busy ? "true" : null); // not disabled: the focus may be on it
  }

  /** @param {RightsContext} context */
  async #download({ download }) {
    if (this.busy) return;
    this.#wait(true);
    text(this.said, this.words.t("export_wait"));
    text(this.said, await download());
    this.#wait(false);
  }
}

/**
 * An erasure, line by line as it becomes true; then the proof of it, to be kept.
 * @param {RightsContext} context @param {View} view @param {boolean} late the store has not answered for a while
 */
export function erasureCard(context, view, late) {
  const { words } = context;
  const title = words.t(view.erasing ? "e_wait_title" : "e_done_title");
  /** @param {import("../lib/dom.js").Child[]} rest */
  const card = (...rest) => h("section", { class: "panel stopped", aria: { live: "polite" }, data: { testid: view.erasing ? "erasing" : "erased" } }, h("h2", {}, title), ...rest);
  const phone = line(true, words.t("w_phone"));
  if (view.erasing || !view.erasure) return card(h("ul", { class: "ticks" }, phone, line(false, words.t(late ? "e_late" : "w_store_wait"))));
  const { proof } = view.erasure;
  /** @type {ErasureClaims|null} */
  const claims = claimsOf(proof);
  const [check, verdict] = checker(context, proof, "check-proof");
  return card(h("ul", { class: "ticks" }, phone, ...(claims ? said(words, claims).map((s) => line(true, s)) : [])),
    h("p", { class: "small muted" }, words.t("e_keep")),
    h("div", { class: "twin" },
      h("button", { type: "button", class: "primary", data: { testid: "save-proof" }, onclick: () => save(`erasure-proof-${dayOf((claims?.iat ?? 0) * 1000)}.jws`, "application/jose", proof) }, words.t("e_save")), check),
    verdict, h("button", { type: "button", class: "quiet", data: { testid: "forget-proof" }, onclick: () => context.act("forget_proof") }, words.t("e_forget")));
}

/** What the proof says, in the order in which people ask. @param {import("../lib/i18n.js").Words} words @param {ErasureClaims} claims */
function said(words, { erasure: { removed, stays } }) {
  const n = Object.values(removed).reduce((sum, k) => sum + k, 0);
  const kept = stays.find((s) => s.what === "proof of consent");
  return [
    words.t("e_removed", { n }),
    ...(kept?.until ? [words.t("e_kept_until", { t: new Intl.DateTimeFormat(words.lang, { dateStyle: "long" }).format(new Date(kept.until)) })] : []),
  ];
}
