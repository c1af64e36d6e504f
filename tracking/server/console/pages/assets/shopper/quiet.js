// SPDX-License-Identifier: Apache-2.0

import { h } from "../lib/dom.js";

/**
 * @typedef {{day: string, from: string, until: string}} Span
 * @typedef {{time_zone: string, zones: {id: string, name: string, quiet: Span[]}[]}} Quiet
 */

/** When zones are usually quiet today, as the store's clock has it: the same for whoever shares and whoever does not. */
export class QuietTimes {
  /** @param {import("../lib/i18n.js").Words} words @param {Quiet|null} quiet */
  constructor(words, quiet) {
    this.words = words;
    this.quiet = quiet;
    this.weekday = new Intl.DateTimeFormat("en", { weekday: "short", timeZone: quiet?.time_zone ?? "UTC" });
    this.clock = new Intl.DateTimeFormat(words.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" });
  }

  /** The day, by which what is shown changes. @param {number} now */
  day(now) { return this.quiet && this.weekday.format(now).slice(0, 2); }

  /**
   * A panel that opens; nothing where nothing is known.
   * @param {string|null} day @returns {import("../lib/dom.js").Child[]}
   */
  panel(day) {
    const { words } = this;
    const rows = (this.quiet?.zones ?? []).map((z) => ({ ...z, spans: z.quiet.filter((q) => q.day === day) })).filter((z) => z.spans.length > 0);
    if (rows.length === 0) return [];
    return [h("details", { class: "panel quiet-times", data: { testid: "quiet" } }, h("summary", {}, h("h2", {}, words.t("quiet"))), h("p", { class: "muted small" }, words.t("quiet_text")),
      h("ul", { class: "looks" }, ...rows.map((z) => h("li", { data: { zone: z.id } }, h("span", { dir: "auto" }, z.name), h("span", { class: "small" }, z.spans.map((q) => this.#span(q)).join(" · "))))))];
  }

  /** @param {Span} q */
  #span({ from, until }) {
    const at = (/** @type {string} */ text) => Date.UTC(2000, 0, 1, Number(text.slice(0, 2)));
    return this.clock.formatRange(at(from), at(until));
  }
}
