// SPDX-License-Identifier: Apache-2.0

/** @param {ArrayBuffer|Uint8Array} bytes @returns {string} base64url without padding (RFC 4648 §5) */
export function base64url(bytes) {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  let s = "";
  for (const b of view) s += String.fromCharCode(b);
  return btoa(s).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} throws on anything that is not base64url */
export function fromBase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new TypeError("not base64url");
  const s = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(s, (c) => c.charCodeAt(0));
}

/** @param {string} text */
export const utf8 = (text) => new TextEncoder().encode(text);

/** @param {string} text @returns {Promise<string>} lower-case hex SHA-256 of the UTF-8 text */
export async function sha256hex(text) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text)));
  return Array.from(hash, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** @param {string} text @returns {Promise<string>} base64url SHA-256 of the UTF-8 text */
export async function sha256url(text) {
  return base64url(await crypto.subtle.digest("SHA-256", utf8(text)));
}

/**
 * Canonical JSON (RFC 8785) of strings, finite numbers, booleans, null, arrays and plain objects.
 * JavaScript's own number and string forms are the ones the standard adopts; sort() orders by
 * UTF-16 code units, as it asks.
 * @param {unknown} value @returns {string}
 */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const object = /** @type {Record<string, unknown>} */ (value);
    const members = Object.keys(object).sort().map((k) => `${JSON.stringify(k)}:${canonical(object[k])}`);
    return `{${members.join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError("not a JSON number");
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`not JSON: ${typeof value}`);
  return text;
}

/**
 * The digest of what the views were handed: title, blocks and the labels of the choices, in order.
 * @param {{title: string, blocks: {title: string, text: string}[], choices: {label: string}[]}} shown
 * @returns {Promise<string>}
 */
export function shownDigest(shown) {
  return sha256hex(canonical({
    blocks: shown.blocks.map(({ text, title }) => ({ text, title })),
    choices: shown.choices.map(({ label }) => label),
    title: shown.title,
  }));
}

/** @param {number} ms Unix milliseconds @returns {string} a UUID version 7 (RFC 9562) */
export function uuid7(ms) {
  const b = crypto.getRandomValues(new Uint8Array(16));
  const t = Math.max(0, Math.floor(ms));
  for (let i = 0; i < 6; i++) b[i] = Math.floor(t / 2 ** (8 * (5 - i))) % 256;
  b[6] = 0x70 | (/** @type {number} */ (b[6]) & 0x0f);
  b[8] = 0x80 | (/** @type {number} */ (b[8]) & 0x3f);
  const hex = Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
