// SPDX-License-Identifier: Apache-2.0

/**
 * Ends everything with a stop token, and does not give up while the store cannot be asked: the same id again, so that it
 * is one event however often it is sent.
 *
 * @typedef {{nodes: number, consoles: number, ms: number}} Removed
 * @param {string} token
 * @param {{later: () => void, send?: typeof fetch, wait?: (ms: number) => Promise<void>}} by  later: it takes longer than usual
 * @returns {Promise<{stopped: true, removed: Removed} | {stopped: false}>} not stopped: the token ends nothing
 */
export async function stopEverything(token, { later, send = (...args) => fetch(...args), wait = pause }) {
  const body = JSON.stringify({ id: crypto.randomUUID(), scope: "all", t: Date.now() });
  for (let n = 0; ; n++) {
    const answer = await send("/v1/withdrawals", {
      method: "POST", headers: { "Content-Type": "application/json", Authorization: `Stop ${token}` }, body, cache: "no-store",
    }).catch(() => null);
    if (answer?.ok) return { stopped: true, removed: (await answer.json()).removed };
    if (answer && answer.status < 500 && answer.status !== 429 && answer.status !== 408) return { stopped: false };
    later();
    await wait(Math.min(30_000, 500 * 2 ** n));
  }
}

/** @param {number} ms @returns {Promise<void>} */
const pause = (ms) => new Promise((done) => void setTimeout(done, ms));
