// SPDX-License-Identifier: Apache-2.0

// node:assert/strict, as far as these tests use it, for a browser.

/** @param {unknown} v */
const text = (v) => (typeof v === "string" ? v : JSON.stringify(v) ?? String(v));

/** @param {boolean} holds @param {string} seen @param {unknown} [message] */
function must(holds, seen, message) {
  if (!holds) throw new Error(message ? `${message}: ${seen}` : seen);
}

/** Objects by their members, arrays and bytes by their elements. @param {unknown} a @param {unknown} b @returns {boolean} */
function same(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const [x, y] = [Object.entries(a), new Map(Object.entries(b))];
  return x.length === y.size && x.every(([k, v]) => y.has(k) && same(v, y.get(k)));
}

/** @param {() => unknown} f @param {RegExp} pattern */
function throws(f, pattern) {
  let said = null;
  try {
    f();
  } catch (e) {
    said = String(e);
  }
  must(said !== null && pattern.test(said), `threw ${said}, want ${pattern}`);
}

export default {
  /** @param {unknown} v @param {unknown} [m] */ ok: (v, m) => must(Boolean(v), text(v), m),
  /** @param {unknown} a @param {unknown} b @param {unknown} [m] */ equal: (a, b, m) => must(Object.is(a, b), `${text(a)}, want ${text(b)}`, m),
  /** @param {unknown} a @param {unknown} b @param {unknown} [m] */ notEqual: (a, b, m) => must(!Object.is(a, b), `${text(a)}, want another`, m),
  /** @param {unknown} a @param {unknown} b @param {unknown} [m] */ deepEqual: (a, b, m) => must(same(a, b), `${text(a)}, want ${text(b)}`, m),
  /** @param {string} s @param {RegExp} pattern @param {unknown} [m] */ match: (s, pattern, m) => must(pattern.test(s), `${s}, want ${pattern}`, m),
  throws,
};
