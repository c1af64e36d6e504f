// SPDX-License-Identifier: Apache-2.0

import { h, s } from "../lib/dom.js";

/**
 * The code by which any other phone can stop: a picture of an address of this store's own, with the stop token after
 * its "#". It can do nothing but stop. It is drawn here, when it is asked for; nobody is asked to draw it.
 *
 * @param {import("../lib/i18n.js").Words} words @param {string} stopToken
 * @returns {HTMLElement[]} the button, and where the picture comes
 */
export function stopCode(words, stopToken) {
  const at = h("div", { class: "stop-code", hidden: true, data: { testid: "stop-code" } });
  const button = h("button", {
    type: "button", aria: { expanded: false }, data: { testid: "show-stop-code" }, onclick: async () => {
      const showing = at.hidden;
      if (showing) at.replaceChildren(await picture(words, `${location.origin}/stop#${stopToken}`), h("p", { class: "small muted" }, words.t("stop_code_text")));
      else at.replaceChildren();
      at.hidden = !showing;
      button.setAttribute("aria-expanded", String(showing));
    },
  }, words.t("stop_code"));
  return [button, at];
}

/** @param {import("../lib/i18n.js").Words} words @param {string} address */
async function picture(words, address) {
  const { encodeQR } = await import("../vendor/qr.js");
  const dots = /** @type {boolean[][]} */ (encodeQR(address, "raw", { ecc: "medium", border: 4 }));
  const path = dots.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return s("svg", { viewBox: `0 0 ${dots.length} ${dots.length}`, role: "img", "aria-label": words.t("stop_code_picture"), data: { testid: "stop-qr" } },
    s("rect", { width: "100%", height: "100%", class: "paper" }), s("path", { d: path, class: "ink" }));
}
