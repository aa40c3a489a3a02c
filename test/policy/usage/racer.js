/**
 * A process that reserves from one counter, for tests of many: opens the store of its first argument,
 * waits for a line, then makes its calls, all at once or one after the other, and says `a` for each
 * that was admitted and `end` behind the last.
 */
import { once } from "node:events";
import { openUsageStore } from "../../../dist/policy/usage/open-usage-store.js";

/**
 * @typedef {import("../../../src/policy/usage/open-usage-store.ts").UsageStoreOptions} Options
 * @typedef {import("../../../src/policy/usage/usage-store.ts").Charge} Charge
 */

/** @type {{ store: Omit<Options, "clock">, charge: Charge, calls: number, atOnce: boolean }} */
const { store: place, charge, calls, atOnce } = JSON.parse(process.argv[2] ?? "{}");
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const store = await openUsageStore({ ...place, clock });
await store.list("[");
process.stdout.write("ready\n");
await once(process.stdin, "data");

async function call() {
  const { isAdmitted } = await store.reserve([charge]);
  if (isAdmitted) process.stdout.write("a\n");
}

if (atOnce) await Promise.all(Array.from({ length: calls }, call));
else for (let made = 0; made < calls; made += 1) await call();
await store.close();
process.stdout.write("end\n");
process.exit(0);
