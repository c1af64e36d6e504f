// SPDX-License-Identifier: Apache-2.0

import { h, s } from "./dom.js";

/** The shapes, in a box of 16: kinds of alert and the words of visits are drawn with the same hand. @type {Record<string, string>} */
const PATHS = {
  "▲": "M8 1.6 15 14.2H1Z",
  "●": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Z",
  "◆": "M8 .6 15.400 8 8 15.400.6 8Z",
  "■": "M2 2h12v12H2Z",
  "⬡": "M8 .8 14.400 4.400v7.200L8 15.200 1.600 11.600V4.400Z",
  "★": "m8 .8 2.200 4.900 5.300.6-4 3.600 1.200 5.300L8 12.500l-4.700 2.700 1.200-5.300-4-3.600 5.300-.6Z",
};

/** The shape of each kind of alert. @type {Record<string, string>} */
export const KIND_SHAPES = { help: "▲", arrived: "●", waiting: "◆", called: "■", rule: "⬡", emergency: "★" };

/** @param {string} shape one of the six @param {string} [cls] */
export function shape(shape, cls = "") {
  return s("svg", { viewBox: "0 0 16 16", class: `shape ${cls}`, aria: { hidden: true }, focusable: "false" }, s("path", { d: PATHS[shape] ?? PATHS["●"] ?? "" }));
}

/** The path of a shape, for drawing it into a map. @param {string} shape */
export const shapePath = (shape) => PATHS[shape] ?? PATHS["●"] ?? "";

/** @param {string} word "Maple ▲ green" @returns {{name: string, shape: string, hue: string}} */
export function parseWord(word) {
  const parts = word.split(" ");
  return { name: parts[0] ?? "", shape: parts[1] ?? "●", hue: parts[2] ?? "" };
}

/**
 * The word of a visit as both screens show it: the same colour, shape and name.
 * @param {string} word @param {string} [size] "large" for the shopper's screen
 */
export function wordChip(word, size = "") {
  const { name, shape: sign, hue } = parseWord(word);
  return h("span", { class: `word ${size}`, data: { hue, testid: "word", word }, title: word }, shape(sign), h("span", {}, name));
}
