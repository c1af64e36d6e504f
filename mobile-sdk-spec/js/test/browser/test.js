// SPDX-License-Identifier: Apache-2.0

// node:test, as far as these tests use it, for a browser: an import map puts this in its place.

/** @type {{name: string, run: () => unknown}[]} */
const tests = [];

/** @param {string} name @param {() => unknown} run */
export function test(name, run) { tests.push({ name, run }); }

/** Runs what was registered, one after the other. @returns {Promise<{ran: number, failed: string[]}>} */
export async function runAll() {
  const failed = [];
  for (const { name, run } of tests) {
    try {
      await run();
    } catch (e) {
      failed.push(`${name}: ${e instanceof Error ? e.message : e}`);
    }
  }
  return { ran: tests.length, failed };
}
