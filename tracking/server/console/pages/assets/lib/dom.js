// SPDX-License-Identifier: Apache-2.0

/**
 * Elements without markup: text is always text, so nothing that comes from a server or a shopper
 * can become part of the page.
 *
 * @typedef {Node|string|number|null|undefined|false} Child
 * @typedef {Record<string, any>} Props  on…: listener; data: dataset; aria: aria-…; class; else attribute (true: bare, false/null: none)
 */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Props} [props] @param {...Child} children @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag @param {Props} [props] @param {...Child} children @returns {SVGElementTagNameMap[K]}
 */
export function s(tag, props = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

/** @template {HTMLElement|SVGElement} E @param {E} el @param {Props} props @param {Child[]} children @returns {E} */
function fill(el, props, children) {
  for (const [name, value] of Object.entries(props)) put(el, name, value);
  el.append(...children.filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : String(c))));
  return el;
}

/** @param {HTMLElement|SVGElement} el @param {string} name @param {any} value */
function put(el, name, value) {
  if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
  else if (name === "data") for (const [k, v] of Object.entries(value)) data(el, k, v);
  else if (name === "aria") for (const [k, v] of Object.entries(value)) attribute(el, `aria-${k}`, v === true || v === false ? String(v) : v);
  else attribute(el, name, value);
}

/** Sets or removes an attribute, touching the page only on a change. @param {Element} el @param {string} name @param {any} value */
export function attribute(el, name, value) {
  if (value === null || value === undefined || value === false) {
    if (el.hasAttribute(name)) el.removeAttribute(name);
  } else if (el.getAttribute(name) !== (value === true ? "" : String(value))) {
    el.setAttribute(name, value === true ? "" : String(value));
  }
}

/** @param {HTMLElement|SVGElement} el @param {string} key @param {string|number|null|undefined|boolean} value */
export function data(el, key, value) {
  if (value === null || value === undefined || value === false) delete el.dataset[key];
  else if (el.dataset[key] !== String(value)) el.dataset[key] = String(value);
}

/** Sets the text, touching the page only on a change. @param {Element} el @param {string} value */
export function text(el, value) {
  if (el.textContent !== value) el.textContent = value;
}

/** @param {Element & {hidden?: boolean}} el @param {boolean} visible */
export function show(el, visible) {
  attribute(el, "hidden", !visible);
}

/**
 * A place whose content is made anew only when its key changes, so that focus and selection survive.
 * @param {HTMLElement} el
 * @returns {(key: unknown, make: () => Child[]) => void}
 */
export function place(el) {
  let last = "\u0000";
  return (key, make) => {
    const now = JSON.stringify(key) ?? "";
    if (now === last) return;
    last = now;
    const within = el.contains(document.activeElement) ? document.activeElement : null;
    const id = within instanceof HTMLElement ? within.dataset.testid : undefined;
    el.replaceChildren(...make().filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : String(c))));
    if (!within) return;
    // Focus is never lost: the same control if it is there again, else the place itself.
    const same = id ? el.querySelector(`[data-testid="${id}"]`) : null;
    if (!el.hasAttribute("tabindex")) el.tabIndex = -1;
    (same instanceof HTMLElement ? same : el).focus({ preventScroll: true });
  };
}
