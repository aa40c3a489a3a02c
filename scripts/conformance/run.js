/**
 * `npm run conformance`: the suite's server scenarios against fixture servers directly and through
 * the gateway, compared check by check, and its client scenarios with the gateway as the client. It
 * prints what it compared and ends with 1 where the gateway made a difference that it should not.
 *
 * Options: `--server-only`, `--client-only`, `--direct-only` (no gateway at all), `--scenario NAME`
 * for client scenarios one at a time, and `--keep` for a look at what the suite and the gateway wrote.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildBundles } from "../build-bundles.js";
import { fixtures, makeSetting, startFixture, startGateway } from "./children.js";
import { runClientLeg } from "./client-leg.js";
import { compareRuns, offences } from "./compare.js";
import { printClientLeg, printComparison, printDirect } from "./print.js";
import { suiteNode } from "./suite-node.js";
import { runServerScenarios, scenariosOf } from "./suite.js";

/**
 * Each fixture with each requirement set. The legacy fixture cannot do the modern one: there the
 * gateway may only make things better.
 *
 * @type {readonly { fixture: "legacy" | "modern", revision: string, onlyWorse: boolean }[]}
 */
const pairs = [
  { fixture: "legacy", revision: "2025-11-25", onlyWorse: false },
  { fixture: "modern", revision: "2025-11-25", onlyWorse: false },
  { fixture: "modern", revision: "2026-07-28", onlyWorse: false },
  { fixture: "legacy", revision: "2026-07-28", onlyWorse: true },
];

const { values: options } = parseArgs({
  options: {
    "server-only": { type: "boolean", default: false },
    "client-only": { type: "boolean", default: false },
    "direct-only": { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    scenario: { type: "string", multiple: true },
  },
});

const began = performance.now();
const node = suiteNode();
const work = mkdtempSync(join(tmpdir(), "conformance-"));
// Everything that is written from here on, by children too, is below one folder.
process.env["TMPDIR"] = work;
const layout = join(work, "layout");

try {
  const failures = await run();
  const seconds = Math.round((performance.now() - began) / 1000);
  process.stdout.write(`\n${failures} failures in ${seconds} s\n`);
  process.exitCode = failures === 0 ? 0 : 1;
} finally {
  if (options.keep) process.stdout.write(`kept in ${work}\n`);
  else rmSync(work, { recursive: true, force: true });
}

/** @returns {Promise<number>} */
async function run() {
  let failures = 0;
  if (!options["direct-only"]) await buildBundles(fixtures, layout);
  if (!options["client-only"]) {
    for (const pair of pairs) failures += await runPair(pair);
  }
  if (!options["server-only"] && !options["direct-only"]) {
    failures += printClientLeg(await runClientLeg(node, layout, options.scenario));
  }
  return failures;
}

/**
 * @param {(typeof pairs)[number]} pair
 * @returns {Promise<number>} how many differences there are that should not be
 */
async function runPair({ fixture, revision, onlyWorse }) {
  const title = `${fixture} fixture, ${revision}`;
  const { scored } = scenariosOf(revision, "server");
  const upstream = await startFixture(fixture);
  try {
    const direct = await runServerScenarios(node, upstream.url, revision);
    if (options["direct-only"]) return printDirect(title, direct, scored, onlyWorse);
    const gateway = await runThrough(upstream.url, revision);
    const comparison = compareRuns({ direct, gateway, scored });
    const wrong = offences(comparison, { onlyWorse });
    return printComparison(title, comparison, wrong, onlyWorse);
  } finally {
    await upstream.close();
  }
}

/**
 * @param {string} url
 * @param {string} revision
 */
async function runThrough(url, revision) {
  const gateway = await startGateway(makeSetting(layout, { url }));
  try {
    return await runServerScenarios(node, gateway.url, revision);
  } finally {
    await gateway.close();
  }
}
