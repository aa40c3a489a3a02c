/**
 * The tables that `npm run conformance` prints.
 */
import { verdictOf } from "./compare.js";

/**
 * One table of a fixture and a requirement set, and below it every difference.
 *
 * @param {string} title
 * @param {import("./compare.js").Comparison} comparison
 * @param {readonly import("./compare.js").Difference[]} wrong
 * @param {boolean} mayFail whether the fixture cannot do the set
 * @returns {number} how much is wrong
 */
export function printComparison(title, { rows, differences }, wrong, mayFail) {
  const cells = rows.map(({ scenario, scored, direct, gateway }) => [
    scored ? scenario : `(${scenario})`,
    direct,
    gateway,
  ]);
  printTable(title, ["SCENARIO", "DIRECT", "GATEWAY"], cells);
  const scored = rows.filter((row) => row.scored);
  const passing = (/** @type {"direct" | "gateway"} */ side) =>
    scored.filter((row) => row[side].startsWith("pass")).length;
  print(`scored: ${passing("direct")} of ${scored.length} directly, ${passing("gateway")} through`);
  const better = mayFail ? differences.filter(({ change }) => change === "better") : [];
  if (better.length > 0) print(`better through the gateway: ${better.length} checks`);
  for (const difference of differences.filter((one) => !better.includes(one))) {
    const { scenario, id, name, direct, gateway, allowed, message } = difference;
    const mark = wrong.includes(difference) ? "WRONG" : allowed ? "allowed" : "note";
    print(`${mark}: ${scenario} / ${id} (${name}): ${direct} -> ${gateway} ${message}`.trimEnd());
  }
  const broken = mayFail ? [] : scored.filter((row) => !row.direct.startsWith("pass"));
  for (const { scenario } of broken) print(`WRONG: the fixture itself does not pass ${scenario}`);
  return wrong.length + broken.length;
}

/**
 * One table of a fixture alone.
 *
 * @param {string} title
 * @param {readonly import("./suite.js").Check[]} checks
 * @param {readonly string[]} scored
 * @param {boolean} mayFail
 * @returns {number} how many scored scenarios fail that should not
 */
export function printDirect(title, checks, scored, mayFail) {
  const scenarios = [...new Set(checks.map(({ scenario }) => scenario))];
  const cells = scenarios.map((scenario) => [
    scored.includes(scenario) ? scenario : `(${scenario})`,
    verdictOf(checks, scenario),
  ]);
  printTable(title, ["SCENARIO", "DIRECT"], cells);
  const passing = scored.filter((name) => verdictOf(checks, name).startsWith("pass")).length;
  print(`scored: ${passing} of ${scored.length} directly`);
  return mayFail ? 0 : scored.length - passing;
}

/**
 * One table of client scenarios, and below it what failed.
 *
 * @param {readonly import("./client-leg.js").ClientRun[]} runs
 * @returns {number} how many scored scenarios failed
 */
export function printClientLeg(runs) {
  const cells = runs.map(({ scenario, revision, scored, verdict }) => [
    scored ? scenario : `(${scenario})`,
    revision,
    verdict,
  ]);
  printTable("gateway as the client", ["SCENARIO", "REVISION", "VERDICT"], cells);
  const failed = runs.filter(({ scored, passed }) => scored && !passed);
  for (const run of runs) {
    for (const { id, status, message } of run.checks) {
      if (status !== "FAILURE" && status !== "WARNING") continue;
      print(`${run.scenario} ${run.revision} / ${id}: ${status} ${message}`);
    }
    if (failed.includes(run)) print(run.output.trimEnd());
  }
  const scored = runs.filter((run) => run.scored);
  print(`scored: ${scored.length - failed.length} of ${scored.length}`);
  return failed.length;
}

/**
 * @param {string} title
 * @param {string[]} head
 * @param {string[][]} cells
 */
function printTable(title, head, cells) {
  const all = [head, ...cells];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  print(`\n== ${title}`);
  for (const row of all) {
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
}

/** @param {string} line */
function print(line) {
  process.stdout.write(`${line}\n`);
}
