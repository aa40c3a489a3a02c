/**
 * `npm run torture [-- --short] [--loops 560] [--minutes 10] [--seed 1] [--only PART]`: kills gateways and writers
 * at random moments, lets disks and Postgres fail, and counts what the decision record promises never
 * to happen: an acknowledged decision lost, one that is there twice, a call that reached its server
 * without an admission record. Prints a table, and ends with 1 where one of them is not 0. A seed
 * repeats the choices, not what the machine does meanwhile.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gatewayParts } from "./torture/gateway-parts.js";
import { indexParts } from "./torture/index-parts.js";
import { createRandom } from "./torture/random.js";
import { fillDisk, injectErrors, killAppending } from "./torture/spool-parts.js";
import { storeParts } from "./torture/store-parts.js";
import { report, runPart } from "./torture/tally.js";

const { values } = parseArgs({
  options: {
    loops: { type: "string" },
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    short: { type: "boolean", default: false },
    only: { type: "string" },
  },
});
const loops = Number(values.loops ?? (values.short ? 60 : 560));
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const endMs = performance.now() + Number(values.minutes) * 60_000;

/** @typedef {import("./torture/spool-parts.js").Setting} Setting */
/** @typedef {(part: import("./torture/tally.js").Part, setting: Setting) => Promise<void>} Work */

/** Each with its share of the loops. @type {readonly [string, number, Work][]} */
const work = [
  ["spool killed", 0.58, killAppending],
  ["errors by strace", 0.08, injectErrors],
  ["small disk", 0.01, fillDisk],
  ...indexParts,
  ...storeParts,
  ...gatewayParts,
];

const folder = mkdtempSync(join(tmpdir(), "torture-"));
// Everything that is written from here on, by children too, is below one folder.
process.env["TMPDIR"] = folder;
console.log(`seed ${seed}, ${loops} loops, at most ${values.minutes} minutes`);
const parts = [];
for (const [index, [name, share, does]] of work.entries()) {
  if (values.only !== undefined && !name.includes(values.only)) continue;
  const setting = {
    folder: mkdtempSync(join(folder, "part-")),
    random: createRandom(seed + index),
    loops: Math.max(1, Math.round(loops * share)),
    isOver: () => performance.now() > endMs,
  };
  const part = await runPart(name, (counted) => does(counted, setting));
  parts.push(part);
  console.log(`${name}: ${part.loops} loops, ${part.kills} kills in ${part.seconds.toFixed(0)} s`);
  if (setting.isOver()) console.log("the time is over: what was not begun by now is left out");
}
const isKept = report(parts);
console.log(isKept ? "the record is kept" : `repeat with --seed ${seed}`);
// Servers of killed gateways may still be ending.
rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
process.exitCode = isKept ? 0 : 1;
