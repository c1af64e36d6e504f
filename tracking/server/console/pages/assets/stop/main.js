// SPDX-License-Identifier: Apache-2.0

import { h } from "../lib/dom.js";
import { Words, applyTheme, language } from "../lib/i18n.js";
import { stopEverything } from "./stop.js";
import { STRINGS } from "./strings.js";

/**
 * The page behind a stop code: a phone that has never seen this store can stop for somebody. The token comes after "#",
 * which a browser does not send, and leaves the address before anything else is done; it travels once, in the header
 * of the request that stops. Opening the page stops nothing: whatever looks at addresses by itself must not.
 */
const token = location.hash.slice(1);
if (location.hash) history.replaceState(null, "", location.pathname);

applyTheme();
const words = new Words(STRINGS, language());
words.apply();
document.title = words.t("title");

const outcome = h("div", { class: "outcome", role: "status", data: { testid: "outcome" } });
const button = h("button", { type: "button", class: "primary stop", data: { testid: "stop" }, onclick: () => void stop() }, words.t("stop"));
const sheet = h("div", { class: "sheet" }, h("img", { src: "/assets/icon.svg", alt: "" }), h("h1", {}, words.t("title")),
  h("p", {}, words.t(token ? "what" : "none")), token ? button : null, outcome);
document.querySelector("main")?.replaceChildren(sheet);

/** @param {string} state @param {...(Node|string)} children */
function say(state, ...children) {
  outcome.dataset.state = state;
  outcome.replaceChildren(...children);
}

async function stop() {
  button.disabled = true;
  say("stopping", words.t("stopping"));
  const end = await stopEverything(token, { later: () => say("later", words.t("later")) });
  button.hidden = end.stopped;
  button.disabled = end.stopped;
  if (end.stopped) say("stopped", h("h2", {}, words.t("done")), h("p", {}, words.t("removed", end.removed)));
  else say("unknown", words.t("unknown"));
}
