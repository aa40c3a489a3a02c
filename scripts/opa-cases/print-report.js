/**
 * What `npm run opa-cases` prints.
 */

/** @typedef {import("./run.js").Row} Row */

const wantedShare = 0.98;

/**
 * Prints and judges a run.
 *
 * @param {object} run
 * @param {readonly Row[]} run.rows
 * @param {readonly string[]} run.unknown notes of listed differences that OPA has no case for
 * @param {ReadonlyMap<string, string>} run.differences reasons by note
 * @param {boolean} run.isWhole whether every case was asked for; else the share says nothing
 * @param {number} run.seconds
 * @param {boolean} run.asJson
 * @returns {number} the exit code
 */
export function printReport({ rows, unknown, differences, isWhole, seconds, asJson }) {
  const count = (/** @type {Row["outcome"]} */ outcome) =>
    rows.filter((row) => row.outcome === outcome).length;
  const [passed, differing, failed, skipped] = [
    count("pass"),
    count("differs"),
    count("fail"),
    count("skip"),
  ];
  const run = rows.length - skipped;
  const share = run === 0 ? 0 : passed / run;
  if (asJson) print(JSON.stringify({ passed, differing, failed, skipped, unknown, rows }));
  else printTables(rows, differences, unknown);
  const percent = (Math.floor(share * 10_000) / 100).toFixed(2);
  const summary =
    `${rows.length} cases: ${run} run, ${passed} passed (${percent} %), ` +
    `${differing} differ as listed, ${failed} failed, ${skipped} skipped, in ${seconds} s`;
  if (!asJson) print(summary);
  return failed > 0 || unknown.length > 0 || (isWhole && share < wantedShare) ? 1 : 0;
}

/**
 * @param {readonly Row[]} rows
 * @param {ReadonlyMap<string, string>} differences
 * @param {readonly string[]} unknown
 */
function printTables(rows, differences, unknown) {
  const groups = groupRows(rows);
  for (const [group, members] of groups) {
    const passed = members.filter(({ outcome }) => outcome === "pass").length;
    const rest = members.length - passed;
    print(
      `${group.padEnd(44)} ${String(passed).padStart(4)} of ${members.length}${rest > 0 ? " *" : ""}`,
    );
  }
  for (const { note, outcome, reason } of rows) {
    if (outcome === "skip") print(`skipped ${note}: ${reason}`);
    if (outcome === "differs") print(`differs ${note}: ${differences.get(note)}`);
    if (outcome === "fail") print(`FAIL ${note}: ${reason}`);
  }
  for (const note of unknown) {
    print(`FAIL ${note}: listed in differences.json, and OPA has no such case`);
  }
}

/** @param {readonly Row[]} rows */
function groupRows(rows) {
  /** @type {Map<string, Row[]>} */
  const groups = new Map();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  return groups;
}

/** @param {string} line */
function print(line) {
  process.stdout.write(`${line}\n`);
}
