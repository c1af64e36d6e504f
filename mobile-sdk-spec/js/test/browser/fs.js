// SPDX-License-Identifier: Apache-2.0

// node:fs, as far as these tests use it, for a browser: a file beside them, read at once. And Node's Buffer, by the browser's own means.

/** @param {URL} url @returns {string} */
export function readFileSync(url) {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.send();
  if (request.status !== 200) throw new Error(`${url}: ${request.status}`);
  return request.responseText;
}

class Bytes extends Uint8Array {
  /** @param {string} [as] */
  toString(as) {
    if (as === "hex") return [...this].map((b) => b.toString(16).padStart(2, "0")).join("");
    const base64 = btoa(String.fromCharCode(...this));
    return as === "base64url" ? base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") : base64;
  }
}

Object.assign(globalThis, {
  Buffer: {
    /** @param {string|Uint8Array} of @param {string} [as] */
    from: (of, as) => {
      if (typeof of !== "string") return new Bytes(of);
      if (as !== "base64url") return new Bytes(new TextEncoder().encode(of));
      return new Bytes([...atob(of.replaceAll("-", "+").replaceAll("_", "/"))].map((c) => c.charCodeAt(0)));
    },
  },
});
