/**
 * The thread in which OPA's toolchain runs: opens the artifact beside it, refuses it when it is not
 * the one that `opa.json` describes, starts the Go program, and answers requests in the order in
 * which they come. Plain JavaScript, because a thread starts from a file: this one is the same in
 * the sources, in the tests and in the package. What the program writes stays in the thread's own
 * output; it has no file system.
 *
 * Messages in: `{ id, request }`. Messages out: once `{ ready }`, or `{ code, message }` when the
 * program cannot start; then `{ id, answer }`.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { brotliDecompressSync } from "node:zlib";

/** @typedef {(request: string, answered: (answer: string) => void) => void} Toolchain */

const port = parentPort;
if (port === null) throw new Error("expected to run in a worker thread");

try {
  const ask = await start();
  port.postMessage({ ready: true });
  port.on("message", ({ id, request }) => {
    ask(request, (answer) => port.postMessage({ id, answer }));
  });
} catch (thrown) {
  port.postMessage(describe(thrown));
  port.close();
}

/**
 * Starts the program; it calls back with the function that takes requests.
 *
 * @returns {Promise<Toolchain>}
 */
async function start() {
  const description = JSON.parse(read("opa.json").toString("utf8"));
  const compressed = verified("opa.wasm.br", description.compressed_sha256);
  verified("wasm_exec.js", description.wasm_exec_sha256);
  await import(new URL("wasm_exec.js", import.meta.url).href);
  const go = new (Reflect.get(globalThis, "Go"))();
  // Compiled in one go: after an asynchronous compilation of a program this large V8 keeps the
  // thread busy for a second before it takes its first message.
  const module = new WebAssembly.Module(brotliDecompressSync(compressed));
  const instance = new WebAssembly.Instance(module, go.importObject);
  return new Promise((resolve, reject) => {
    Reflect.set(globalThis, "regoToolchainReady", resolve);
    go.run(instance).then(() => end(new Error("the program ended")), end);

    /**
     * Before the start an error, afterwards the end of the thread.
     *
     * @param {unknown} error
     */
    function end(error) {
      reject(error);
      port?.close();
    }
  });
}

/**
 * @param {string} name
 * @param {string} expected
 */
function verified(name, expected) {
  const bytes = read(name);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found === expected) return bytes;
  throw coded("rego_toolchain_corrupt", `expected ${name} with sha256 ${expected}, found ${found}`);
}

/** @param {string} name */
function read(name) {
  try {
    return readFileSync(new URL(name, import.meta.url));
  } catch (thrown) {
    throw coded("rego_toolchain_missing", `cannot read ${name}: ${describe(thrown).message}`);
  }
}

/**
 * @param {string} code
 * @param {string} message
 */
function coded(code, message) {
  return Object.assign(new Error(message), { code });
}

/** @param {unknown} thrown */
function describe(thrown) {
  if (!(thrown instanceof Error)) return { code: "rego_crashed", message: String(thrown) };
  const code = "code" in thrown && typeof thrown.code === "string" ? thrown.code : "rego_crashed";
  return { code: code.startsWith("rego_") ? code : "rego_crashed", message: thrown.message };
}
