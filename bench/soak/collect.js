/**
 * Preloaded into the gateway under soak (`--expose-gc`): collects garbage again and again and writes
 * down what lives after it. What a process has resident besides is V8's own choice and goes up and
 * down by a third while nothing changes; a leak shows here first.
 */
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const { SOAK_HEAP_FILE: file = "", SOAK_COLLECT_MS: everyMs = "5000" } = process.env;

if (isMainThread) setInterval(collect, Number(everyMs)).unref();

function collect() {
  globalThis.gc?.();
  writeFileSync(file, String(process.memoryUsage().heapUsed));
}
