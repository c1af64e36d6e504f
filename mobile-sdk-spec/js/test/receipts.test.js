// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** @type {any} */
const vectors = JSON.parse(readFileSync(new URL("../../vectors/receipts.json", import.meta.url), "utf8"));
assert.ok(vectors.cases.length >= 10, "there are vectors");

// Nothing of the client is used here, only Node's own cryptography: that a receipt is what the
// specification says it is does not rest on any code of this project.

/** @param {string} text */
const b64 = (text) => Buffer.from(text, "base64url");

test("a receipt's signature, with Node's cryptography alone", () => {
  let good = 0;
  for (const c of vectors.cases.filter((/** @type {any} */ c) => c.good)) {
    const [head = "", body = "", signature = ""] = c.receipt.split(".");
    const { alg, typ, kid } = JSON.parse(b64(head).toString());
    assert.deepEqual({ alg, typ }, { alg: "EdDSA", typ: "consent-receipt+jwt" }, c.name);
    const jwk = vectors.keys.keys.find((/** @type {any} */ k) => k.kid === kid);
    const key = createPublicKey({ key: jwk, format: "jwk" });
    assert.ok(verify(null, Buffer.from(`${head}.${body}`), key, b64(signature)), c.name);
    const claims = JSON.parse(b64(body).toString());
    assert.ok(claims.iat <= c.at && c.at < claims.exp, c.name);
    assert.equal(claims.jti, claims.receipt.header.record_id, c.name);
    assert.equal(claims.log.leaf, vectors.leaves[claims.log.index], c.name);
    good++;
  }
  assert.equal(good, vectors.leaves.length);
});

/** @param {...(Buffer|number[])} parts */
const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts.map((p) => Buffer.from(p)))).digest();
/** @param {string} leaf */
const leafHash = (leaf) => sha256([0], Buffer.from(leaf));
/** @param {Buffer} left @param {Buffer} right */
const nodeHash = (left, right) => sha256([1], left, right);

/** RFC 9162, section 2.1.3.2. @param {any} p @returns {string} */
function rootOf(p) {
  let fn = p.index, sn = p.tree.size - 1, r = leafHash(p.leaf);
  for (const step of p.path) {
    const s = Buffer.from(step, "hex");
    assert.ok(sn > 0, "the path is too long");
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(s, r);
      while (fn % 2 === 0 && fn !== 0) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
    } else {
      r = nodeHash(r, s);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  assert.equal(sn, 0, "the path is too short");
  return r.toString("hex");
}

test("a receipt's place in the log, up to the signed checkpoint", () => {
  const [text, signatures] = vectors.checkpoint.split("\n\n");
  const [origin, size, root] = text.split("\n");
  const [name, id, key64] = vectors.log_key.split(/\+(.{8})\+/);
  const raw = Buffer.from(signatures.trim().split(" ").at(-1), "base64"), key = Buffer.from(key64, "base64");
  assert.equal(origin, name);
  assert.equal(raw.subarray(0, 4).toString("hex"), id);
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key.subarray(1)]);
  assert.ok(verify(null, Buffer.from(`${text}\n`), createPublicKey({ key: der, format: "der", type: "spki" }), raw.subarray(4)));
  for (const c of vectors.cases.filter((/** @type {any} */ c) => c.proof)) {
    assert.equal(c.proof.tree.size, Number(size), c.name);
    assert.equal(rootOf(c.proof), Buffer.from(root, "base64").toString("hex"), c.name);
    assert.throws(() => assert.equal(rootOf({ ...c.proof, leaf: `${c.proof.leaf} ` }), c.proof.tree.root), c.name);
  }
});
