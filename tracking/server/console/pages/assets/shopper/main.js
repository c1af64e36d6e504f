// SPDX-License-Identifier: Apache-2.0

import { Client } from "/assets/sdk/src/index.js";
import { takeFragment } from "../lib/code.js";
import { h } from "../lib/dom.js";
import { Words, applyTheme, language } from "../lib/i18n.js";
import { DemoTokens, NoToken } from "./auth.js";
import { STRINGS } from "./strings.js";
import { Visit } from "./visit.js";

const fragment = takeFragment();
applyTheme();
const words = new Words(STRINGS, language());
words.apply();
const tokens = new DemoTokens();

/** @param {string} [message] */
function gate(message) {
  const field = h("input", { name: "code", autocomplete: "one-time-code", spellcheck: "false", autocapitalize: "off", data: { testid: "code" } });
  const form = h("form", { onsubmit: (/** @type {Event} */ e) => { e.preventDefault(); void enter(field.value.trim()); } },
    h("label", {}, words.t("code"), field), h("button", { class: "primary", data: { testid: "open" } }, words.t("open")));
  document.body.replaceChildren(h("main", { class: "gate" }, h("div", { class: "sheet" }, h("img", { src: "/assets/icon.svg", alt: "" }), h("h1", {}, words.t("gate_title")),
    message ? h("p", { class: "problem", role: "alert", data: { testid: "message" } }, message) : null, h("p", { class: "muted" }, words.t("gate_text")), form)));
}

/** @param {string} code */
async function enter(code) {
  try {
    await tokens.redeem(code);
    await open();
  } catch (e) {
    gate(words.t(e instanceof NoToken && e.status >= 400 && e.status < 500 ? "bad_code" : "unreachable"));
  }
}

/** Opens the page for the store that the token is for. */
async function open() {
  await tokens.get(false);
  const client = await Client.open({
    baseUrl: location.origin, token: (fresh) => tokens.get(fresh), lang: words.lang, sdk: "web/1.0.0",
  });
  const stores = await client.stores();
  const store = stores.find((s) => s.id === tokens.store);
  if (!store) {
    gate(words.t("no_store"));
    return;
  }
  const [fence, cards, quiet] = await Promise.all([client.fence(store.id, store.fence), client.cards(store.id).catch(() => []), client.quiet(store.id).catch(() => null), client.syncTime()]);
  const visit = new Visit(words, client, fence, store, cards, quiet);
  document.body.replaceChildren(visit.el);
}

const code = fragment.get("code");
try {
  if (code) await enter(code);
  else if (tokens.renewable) await open();
  else gate();
} catch (e) {
  gate(e instanceof NoToken && e.status === 401 ? undefined : words.t("unreachable"));
}
