// SPDX-License-Identifier: Apache-2.0

/**
 * Where the client keeps the few things that must survive a restart: the installation's key,
 * receipts and stop tokens, and withdrawals that are not confirmed yet. Never a position.
 *
 * @typedef {object} Store
 * @property {(key: string) => Promise<any>} get  undefined when absent
 * @property {(key: string, value: unknown) => Promise<void>} set
 * @property {(key: string) => Promise<void>} remove
 */

/** A store that lasts as long as the page or process. @returns {Store} */
export function memoryStore() {
  /** @type {Map<string, unknown>} */
  const map = new Map();
  return {
    async get(key) { return map.get(key); },
    async set(key, value) { map.set(key, value); },
    async remove(key) { map.delete(key); },
  };
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/**
 * IndexedDB, because a key that cannot be extracted can be kept there and nowhere else in a browser.
 * @param {string} [name] @returns {Promise<Store>}
 */
export async function indexedStore(name = "doorstep") {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => { opening.result.createObjectStore("kept"); };
  const db = await settled(opening);
  /** @param {IDBTransactionMode} mode */
  const kept = (mode) => db.transaction("kept", mode).objectStore("kept");
  return {
    get: (key) => settled(kept("readonly").get(key)),
    async set(key, value) {
      const store = kept("readwrite");
      await settled(store.put(value, key));
      await committed(store.transaction);
    },
    async remove(key) { await settled(kept("readwrite").delete(key)); },
  };
}

/** @param {IDBTransaction} tx @returns {Promise<void>} */
const committed = (tx) => new Promise((resolve, reject) => {
  tx.oncomplete = () => resolve();
  tx.onabort = tx.onerror = () => reject(tx.error);
  tx.commit();
});

/** IndexedDB where there is one and it opens (private windows may refuse), else memory. */
export async function openStore() {
  if (typeof indexedDB === "undefined") return memoryStore();
  try {
    return await indexedStore();
  } catch {
    return memoryStore();
  }
}
