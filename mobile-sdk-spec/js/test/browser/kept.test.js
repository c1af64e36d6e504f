// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, InstallationKey, indexedStore, openStore } from "../../src/index.js";

// What only a browser has: storage that keeps a key that cannot be taken out.

test("what is kept is there when the page comes back, and gone when it is removed", async () => {
  const before = await indexedStore("kept");
  await before.set("a", { list: [1, 2] });
  const after = await indexedStore("kept");
  assert.deepEqual(await after.get("a"), { list: [1, 2] });
  await after.remove("a");
  assert.equal(await before.get("a"), undefined);
});

test("an installation's key survives the page, and cannot be taken out of it", async () => {
  const first = await InstallationKey.load(await openStore());
  const again = await InstallationKey.load(await openStore());
  assert.equal(again.thumbprint, first.thumbprint);
  assert.equal(again.pair.privateKey.extractable, false);
  let refused = false;
  await crypto.subtle.exportKey("jwk", again.pair.privateKey).catch(() => { refused = true; });
  assert.equal(refused, true);
});

test("a withdrawal that was not confirmed is stopping when the page comes back", async () => {
  const config = { baseUrl: location.origin, token: async () => "t", fetch: async () => { throw new Error("no network"); } };
  const page = await Client.open(config);
  await page.withdraw("all");
  page.close();
  const back = await Client.open(config);
  assert.deepEqual([back.view.state, back.view.stopQueued, back.locating], ["STOPPING", true, false]);
  back.close();
  await (await openStore()).remove("withdrawals");
});
