// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

// Packs the client as it would be published, installs that into an app of its own, and has the app use it: in Node, and by
// its types, as strictly as they can be checked. Says how large it is.

const LIMIT = { packed: 48 * 1024, compressed: 30 * 1024 };
const app = mkdtempSync(join(tmpdir(), "doorstep-app-"));
/** @param {string} command @param {string[]} args @param {string} [cwd] */
const run = (command, args, cwd = ".") => execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

try {
  run("npm", ["run", "--silent", "types"]);
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", app]));
  /** @type {string[]} */ const files = packed.files.map((/** @type {{path: string}} */ f) => f.path);
  for (const file of files) assert.match(file, /^(src\/[a-z]+\.js|types\/[a-z]+\.d\.ts|README\.md|package\.json)$/, "nothing else is published");
  const sources = files.filter((f) => f.startsWith("src/"));
  assert.equal(files.filter((f) => f.startsWith("types/")).length, sources.length, "each module has its types");

  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--silent", join(app, packed.filename)], app);
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(join(app, "node_modules/doorstep-client/package.json"), "utf8")).dependencies ?? {}), [], "no dependencies at run time");

  writeFileSync(join(app, "app.js"), 'import { Client, Fence, closeRule } from "doorstep-client";\nif (!Client || !Fence || closeRule(4501).retry) process.exit(1);\n');
  run("node", ["app.js"], app);
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify({
    compilerOptions: { strict: true, noEmit: true, target: "ES2022", module: "NodeNext", lib: ["ES2023", "DOM", "DOM.Iterable"], types: [] }, files: ["app.ts"],
  }));
  writeFileSync(join(app, "app.ts"), `import { Client, closeRule } from "doorstep-client";
const client = await Client.open({ baseUrl: "https://doorstep.example", token: async () => "t" });
export const state: "ACTIVE" | "OFF" | null = client.view.state === "ACTIVE" ? client.view.state : null;
export const retry: boolean = closeRule(4001).retry;
// @ts-expect-error: a code is a number
closeRule("4001");
`);
  run(join(process.cwd(), "node_modules/.bin/tsc"), ["-p", app]);

  const compressed = gzipSync(sources.map((f) => readFileSync(f, "utf8")).join("\n"), { level: 9 }).length;
  const size = statSync(join(app, packed.filename)).size;
  console.log(`doorstep-client ${packed.version}: ${files.length} files, ${size} bytes packed, ${packed.unpackedSize} unpacked, its modules ${compressed} bytes as gzip`);
  assert.ok(size < LIMIT.packed && compressed < LIMIT.compressed, "small enough for a page");
} finally {
  rmSync(app, { recursive: true, force: true });
}
