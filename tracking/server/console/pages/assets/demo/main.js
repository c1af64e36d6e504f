// SPDX-License-Identifier: Apache-2.0

import { takeFragment } from "../lib/code.js";
import { attribute, h } from "../lib/dom.js";
import { Words, applyTheme, language } from "../lib/i18n.js";

/** @type {import("../lib/i18n.js").Table} */
const STRINGS = {
  title: ["Doorstep, both sides", "Doorstep 双方视角", "دورستيب من الجانبين"],
  shopper: ["The shopper’s phone", "顾客的手机", "هاتف المتسوق"],
  staff: ["The staff console", "员工控制台", "لوحة الموظفين"],
};

const fragment = takeFragment();
applyTheme();
const words = new Words(STRINGS, language());
words.apply();

/**
 * A page of this origin in a frame. Its code goes to the frame's own address, which the page there
 * clears at once; it never stands in this page.
 * @param {"shopper"|"staff"} side @param {string} path
 */
function frame(side, path) {
  const code = fragment.get(side);
  const el = h("iframe", { title: words.t(side), class: side, data: { testid: side } });
  return { el, go: () => el.contentWindow?.location.replace(code ? `${path}#code=${encodeURIComponent(code)}` : path) };
}

const shopper = frame("shopper", "/shopper/");
const staff = frame("staff", "/console/");
const tabs = /** @type {const} */ (["shopper", "staff"]).map((side) => h("button", {
  type: "button", class: "quiet", data: { side }, onclick: () => choose(side),
}, words.t(side)));

/** On a narrow screen one side is shown at a time. @param {"shopper"|"staff"} side */
function choose(side) {
  document.body.dataset.side = side;
  for (const b of tabs) attribute(b, "aria-pressed", String(b.dataset.side === side));
}

document.body.replaceChildren(h("div", { class: "both" }, h("nav", {}, ...tabs), h("main", {}, shopper.el, staff.el)));
choose("shopper");
shopper.go();
staff.go();
