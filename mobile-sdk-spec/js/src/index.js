// SPDX-License-Identifier: Apache-2.0

export { Client } from "./client.js";
export { Problem } from "./api.js";
export { Cells } from "./cells.js";
export { Fence, JUDGE, around, contains } from "./fence.js";
export { InstallationKey } from "./key.js";
export { ServerClock, realEnv } from "./clock.js";
export { memoryStore, indexedStore, openStore } from "./storage.js";
export { STATES, OPEN, LOCATING, next } from "./machine.js";
export { BACKOFF, closeRule, closeCodes, backoffMs } from "./closecodes.js";
export { claimsOf, verifyReceipt } from "./receipt.js";
export { canonical, shownDigest, sha256hex, base64url, fromBase64url, uuid7 } from "./encoding.js";
