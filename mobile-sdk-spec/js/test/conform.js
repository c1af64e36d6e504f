// SPDX-License-Identifier: Apache-2.0

import process from "node:process";
import { WebSocket } from "ws";
import { hands } from "./hands.js";

// node conform.js URL HANDS: carries out a conformance run, so many stories side by side.
const [, , url = "", many = "1"] = process.argv;
await Promise.all(Array.from({ length: Number(many) }, (_, i) => hands(url, `js-${i}`, /** @type {any} */ (WebSocket))));
process.exit(0); // sockets that nobody answers any more are not waited for
