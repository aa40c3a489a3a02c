/**
 * The comparisons of `verify.sh`.
 *
 * Usage: node compare.js sources FOLDER | node compare.js artifacts FOLDER OTHER
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { sourcesDigest } from "./sources-digest.js";

const [what, folder = "dist", other = ""] = process.argv.slice(2);
const described = describe(folder);

if (what === "sources") {
  const found = sourcesDigest(dirname(fileURLToPath(import.meta.url)));
  same("sources of the toolchain", described["sources_digest"], found);
  const worker = join(dirname(fileURLToPath(import.meta.url)), "worker.js");
  same("worker.js", sha256(readFileSync(worker)), sha256(readFileSync(join(folder, "worker.js"))));
} else {
  const again = describe(other);
  same("program built again", described["sha256"], again["sha256"]);
  same("committed opa.wasm.br", described["sha256"], sha256(open(folder)));
  same("rebuilt opa.wasm.br", described["sha256"], sha256(open(other)));
  for (const name of ["wasm_exec.js", "LICENSES.txt"]) {
    const [committed, rebuilt] = [folder, other].map((at) => sha256(readFileSync(join(at, name))));
    same(name, committed, rebuilt);
  }
}

/**
 * @param {string} subject
 * @param {unknown} expected
 * @param {unknown} found
 */
function same(subject, expected, found) {
  if (expected === found) return;
  process.stderr.write(
    `${subject}: expected ${String(expected)}, found ${String(found)}; run toolchain/build.sh and commit toolchain/dist\n`,
  );
  process.exitCode = 1;
}

/**
 * @param {string} at
 * @returns {Record<string, unknown>}
 */
function describe(at) {
  return JSON.parse(readFileSync(join(at, "opa.json"), "utf8"));
}

/** @param {string} at */
function open(at) {
  return brotliDecompressSync(readFileSync(join(at, "opa.wasm.br")));
}

/** @param {Uint8Array} bytes */
function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
