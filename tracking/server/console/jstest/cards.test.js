// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { pick } from "../pages/assets/shopper/cards.js";

/** @param {string} title @param {object} [more] @returns {any} */
const card = (title, more = {}) => ({ zone: "shoes", title, text: "x", ...more });
/** @param {any[]} cards @param {string} lang @param {number} [now] */
const titles = (cards, lang, now = 100) => pick(cards, lang, now).map((c) => c.title).join(" ");

test("a card is for whoever reads its language, and one without is for everybody", () => {
  const all = [card("en", { lang: "en" }), card("zh", { lang: "zh-Hans" }), card("both"), card("ar", { lang: "ar", zone: "bags" })];
  assert.equal(titles(all, "zh"), "zh both ar");
  assert.equal(titles(all, "en-GB"), "en both ar");
});

test("where nothing can be read, the zone's first language is shown", () => {
  assert.equal(titles([card("de", { lang: "de" }), card("at", { lang: "de-AT" }), card("fr", { lang: "fr" })], "en"), "de at");
});

test("a card with times is shown at those, and its language counts only then", () => {
  const all = [card("en", { lang: "en", times: [{ from_t: 50, until_t: 100 }] }), card("de", { lang: "de" })];
  assert.equal(titles(all, "en", 49), "de");
  assert.equal(titles(all, "en", 50), "en");
  assert.equal(titles(all, "en", 100), "de");
  assert.equal(titles([card("never", { times: [] })], "en"), "");
});
