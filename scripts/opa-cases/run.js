/**
 * `npm run opa-cases`: OPA's own evaluation cases through the product's build and evaluation,
 * language and builtins alike. It prints how many there are, how many ran and passed, and ends with
 * 1 where a case differs that `differences.json` does not name, where a named one passes, or where
 * fewer than 98 in 100 pass of those that the WebAssembly target supports.
 *
 * Options: `--group NAME` and `--case NOTE` for a few of them, `--json` for every outcome.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ToolchainThread } from "../../dist/rego/toolchain-thread.js";
import { findOpaModule, readCases, readExceptions } from "./case-files.js";
import { printReport } from "./print-report.js";
import { runCase } from "./run-case.js";

/**
 * @typedef {import("./case-files.js").OpaCase} OpaCase
 * @typedef {{ note: string, group: string, outcome: "pass" | "fail" | "skip" | "differs", reason: string }} Row
 */

const root = join(import.meta.dirname, "..", "..");
const timeoutMs = 120_000;
/** Threads that compile at once; each takes a processor. */
const threads = 2;

const { values: options } = parseArgs({
  options: {
    group: { type: "string", multiple: true },
    case: { type: "string", multiple: true },
    json: { type: "boolean", default: false },
  },
});

const began = performance.now();
const opa = findOpaModule(join(root, "toolchain"));
const cases = readCases(opa);
const exceptions = readExceptions(opa);
const differences = readDifferences();
const chosen = cases.filter(
  ({ group, note }) =>
    (options.group?.includes(group) ?? true) && (options.case?.includes(note) ?? true),
);
const rows = await runAll(chosen);
const isWhole = chosen.length === cases.length;
const unknown = isWhole ? [...differences.keys()].filter((note) => !hasCase(note)) : [];
const seconds = Math.round((performance.now() - began) / 1000);
const report = { rows, unknown, differences, isWhole, seconds, asJson: options.json };
process.exitCode = printReport(report);

/** @param {string} note */
function hasCase(note) {
  return cases.some((one) => one.note === note);
}

/** @returns {Map<string, string>} */
function readDifferences() {
  const text = readFileSync(join(import.meta.dirname, "differences.json"), "utf8");
  /** @type {{ reason: string, cases: string[] }[]} */
  const groups = JSON.parse(text);
  return new Map(groups.flatMap(({ reason, cases }) => cases.map((note) => [note, reason])));
}

/**
 * @param {readonly OpaCase[]} list
 * @returns {Promise<Row[]>} in the order of the cases
 */
async function runAll(list) {
  /** @type {Row[]} */
  const done = [];
  const left = [...list.entries()];
  await Promise.all(
    Array.from({ length: threads }, async () => {
      const artifactFolder = join(root, "toolchain", "dist");
      const thread = new ToolchainThread({ artifactFolder, idleMs: 1000 });
      try {
        for (let next = left.shift(); next !== undefined; next = left.shift()) {
          done[next[0]] = await runOne(next[1], thread);
        }
      } finally {
        await thread.close();
      }
    }),
  );
  return done;
}

/**
 * @param {OpaCase} opaCase
 * @param {ToolchainThread} thread
 * @returns {Promise<Row>}
 */
async function runOne(opaCase, thread) {
  const { note, group } = opaCase;
  const left = exceptions.get(note);
  if (left !== undefined) return { note, group, outcome: "skip", reason: `OPA's runner: ${left}` };
  const { outcome, reason } = await runCase(opaCase, (text) => thread.ask(text, timeoutMs));
  const isListed = differences.has(note);
  if (isListed && outcome === "fail") return { note, group, outcome: "differs", reason };
  if (isListed && outcome !== "fail") {
    return { note, group, outcome: "fail", reason: "listed in differences.json, and it does not" };
  }
  return { note, group, outcome, reason };
}
