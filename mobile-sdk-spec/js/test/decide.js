// SPDX-License-Identifier: Apache-2.0

/**
 * Decides many points for a test in another language. On standard input one JSON object: the published fence,
 * and points as [lat, lng, level or null, accuracy]. On standard output a line for each: what the phone
 * would say, and its signed distance in metres.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Fence } from "../src/index.js";

const { fence: json, points } = JSON.parse(readFileSync(0, "utf8"));
const fence = new Fence(json);
const lines = points.map((/** @type {[number, number, number|null, number]} */ [lat, lng, level, accuracyM]) => {
  const { where, distM } = fence.judge({ lat, lng, level, accuracyM });
  return `${where} ${distM.toFixed(4)}\n`;
});
writeFileSync(1, lines.join(""));
