/**
 * The suite's client scenarios, each in a process of its own and a few at a time: the suite itself
 * would start all of them at once, and their timing checks would measure the machine.
 */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { verdictOf } from "./compare.js";
import { runClientScenario, scenariosOf } from "./suite.js";

const revisions = ["2025-11-25", "2026-07-28"];
const clientFile = fileURLToPath(new URL("client.js", import.meta.url));

/**
 * @typedef {{ scenario: string, revision: string, scored: boolean, passed: boolean,
 *   verdict: string, checks: import("./suite.js").Check[], output: string }} ClientRun
 */

/**
 * Runs the client scenarios of both requirement sets, or those named.
 *
 * @param {string} node
 * @param {string} layout
 * @param {string[] | undefined} only
 * @returns {Promise<ClientRun[]>}
 */
export async function runClientLeg(node, layout, only) {
  const wanted = revisions.flatMap((revision) => {
    const { scored, unscored } = scenariosOf(revision, "client");
    return [...scored, ...unscored]
      .filter((scenario) => only === undefined || only.includes(scenario))
      .map((scenario) => ({ scenario, revision, scored: scored.includes(scenario) }));
  });
  /** @type {ClientRun[]} */
  const runs = [];
  const queue = wanted.entries();
  const work = async () => {
    for (const [index, one] of queue) runs[index] = await runOne(node, layout, one);
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, work));
  return runs;
}

/**
 * @param {string} node
 * @param {string} layout
 * @param {{ scenario: string, revision: string, scored: boolean }} wanted
 * @returns {Promise<ClientRun>}
 */
async function runOne(node, layout, { scenario, revision, scored }) {
  const command = `"${process.execPath}" "${clientFile}"`;
  const env = { CONFORMANCE_LAYOUT: layout };
  const { checks, ended } = await runClientScenario(node, { command, scenario, revision, env });
  const wentWrong = /CLIENT (?:TIMED OUT|EXITED WITH ERROR)/.test(ended.output);
  const hasFailure = checks.some(({ status }) => status === "FAILURE");
  const passed = checks.length > 0 && !hasFailure && !wentWrong;
  const verdict = `${verdictOf(checks, scenario)}${wentWrong ? ", client ended with an error" : ""}`;
  return { scenario, revision, scored, passed, verdict, checks, output: ended.output };
}
