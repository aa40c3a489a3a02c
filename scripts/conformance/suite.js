/**
 * `@modelcontextprotocol/conformance` as a child process: what a requirement set names, a run of its
 * server or client scenarios, and what their checks said.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";

const require = createRequire(import.meta.url);
const suiteFolder = dirname(require.resolve("@modelcontextprotocol/conformance/package.json"));
const suiteFile = join(suiteFolder, "dist", "index.js");

/**
 * @typedef {{ scenario: string, id: string, name: string, status: string, message: string }} Check
 * @typedef {{ scored: string[], unscored: string[] }} Scenarios
 * @typedef {{ code: number | null, output: string }} Ended
 */

/**
 * Names of the scenarios of a requirement set, for one leg.
 *
 * @param {string} revision
 * @param {"server" | "client"} leg
 * @returns {Scenarios}
 */
export function scenariosOf(revision, leg) {
  const text = readFileSync(join(suiteFolder, "requirements", `${revision}.yaml`), "utf8");
  const set = parse(text);
  /** @type {{ scenario: string, leg: string }[]} */
  const rest = set.not_scored;
  return {
    scored: set[leg],
    unscored: rest.filter((entry) => entry.leg === leg).map(({ scenario }) => scenario),
  };
}

/**
 * Runs every server scenario of a requirement set against a URL.
 *
 * @param {string} node
 * @param {string} url
 * @param {string} revision
 * @returns {Promise<Check[]>}
 */
export async function runServerScenarios(node, url, revision) {
  const folder = mkdtempSync(join(tmpdir(), "conformance-server-"));
  const args = ["server", "--url", url, "--requirements", revision, "--output-dir", folder];
  const ended = await runSuite(node, args, {});
  const { scored, unscored } = scenariosOf(revision, "server");
  const checks = checksIn(folder, [...scored, ...unscored]);
  const missing = scored.filter((name) => !checks.some(({ scenario }) => scenario === name));
  if (missing.length > 0) {
    throw new Error(`the suite gave no checks of ${missing.join(", ")}:\n${ended.output}`);
  }
  return checks;
}

/**
 * Runs one client scenario with a command as the client under test.
 *
 * @param {string} node
 * @param {{ command: string, scenario: string, revision: string, env: Record<string, string> }} wanted
 * @returns {Promise<{ checks: Check[], ended: Ended }>}
 */
export async function runClientScenario(node, { command, scenario, revision, env }) {
  const folder = mkdtempSync(join(tmpdir(), "conformance-client-"));
  const which = ["--scenario", scenario, "--spec-version", revision, "--force"];
  const args = ["client", "--command", command, ...which];
  const limits = ["--timeout", "90000", "--output-dir", folder];
  const ended = await runSuite(node, [...args, ...limits], env);
  return { checks: checksIn(folder, [scenario]), ended };
}

/**
 * @param {string} node
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<Ended>}
 */
function runSuite(node, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [suiteFile, ...args], { env: { ...process.env, ...env } });
    /** @type {Buffer[]} */
    const output = [];
    child.stdout.on("data", (chunk) => void output.push(chunk));
    child.stderr.on("data", (chunk) => void output.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output: Buffer.concat(output).toString() }));
  });
}

/**
 * The suite writes `[server-]SCENARIO-TIME/checks.json`, and a scenario `auth/x` one folder deeper.
 *
 * @param {string} folder
 * @param {string[]} scenarios
 * @returns {Check[]}
 */
function checksIn(folder, scenarios) {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith("checks.json"))
    .toSorted();
  return files.flatMap((path) => {
    const scenario = dirname(path)
      .replace(/^server-/, "")
      .replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, "");
    if (!scenarios.includes(scenario)) throw new Error(`expected a known scenario, found ${path}`);
    /** @type {{ id: string, name: string, status: string, errorMessage?: string }[]} */
    const checks = JSON.parse(readFileSync(join(folder, path), "utf8"));
    return checks.map(({ id, name, status, errorMessage = "" }) => ({
      scenario,
      id,
      name,
      status,
      message: errorMessage,
    }));
  });
}
