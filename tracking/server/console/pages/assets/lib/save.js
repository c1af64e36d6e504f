// SPDX-License-Identifier: Apache-2.0

import { h } from "./dom.js";

/**
 * Hands a file to whoever looks at the page: it is made here, and goes nowhere else.
 * @param {string} name @param {string} type @param {string} content
 */
export function save(name, type, content) {
  const href = URL.createObjectURL(new Blob([content], { type }));
  h("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000); // the browser reads it in its own time
}

/** The day of a time, as a file's name has it. @param {number} t Unix ms */
export const dayOf = (t) => new Date(t).toISOString().slice(0, 10);
