// SPDX-License-Identifier: Apache-2.0

/**
 * @typedef {{zone: string, title: string, text: string, link?: string, lang?: string, image?: string, alt?: string, times?: {from_t: number, until_t: number}[]}} StoreCard
 */

/**
 * The cards to be shown now to somebody who reads a language, of all zones. Where a zone has none in it, those of its first card's.
 * @param {StoreCard[]} cards @param {string} lang @param {number} now  by the store's clock, Unix ms
 */
export function pick(cards, lang, now) {
  const timely = cards.filter((c) => !c.times || c.times.some((t) => t.from_t <= now && now < t.until_t));
  /** @param {StoreCard} c @param {string|undefined} wanted */
  const reads = (c, wanted) => !c.lang || base(c.lang) === base(wanted ?? "");
  return timely.filter((c) => {
    const zone = timely.filter((o) => o.zone === c.zone);
    return reads(c, zone.some((o) => reads(o, lang)) ? lang : zone[0]?.lang);
  });
}

/** @param {string} lang */
const base = (lang) => lang.split("-")[0];
