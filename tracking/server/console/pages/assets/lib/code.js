// SPDX-License-Identifier: Apache-2.0

/**
 * Takes what the address carries after "#" and removes it from the address and the history at once,
 * before anything else is done.
 * @returns {URLSearchParams}
 */
export function takeFragment() {
  const taken = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname);
  return taken;
}
