/**
 * Starts a writer, listens to what it tells, and kills it at a moment of chance.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("writer.js", import.meta.url));

/** @typedef {{ submitted: Set<string>, acknowledged: Set<string>, refused: Set<string> }} Told */

/** @returns {Told} */
export function createTold() {
  return { submitted: new Set(), acknowledged: new Set(), refused: new Set() };
}

/**
 * Runs one writer until it ends. `killAfterMs` counts from the first decision it was about to write,
 * or from its first word where it writes none; `killOn` ends it when it is aborted. One that ends by
 * itself, and not well, is broken.
 *
 * @param {import("./tally.js").Part} part
 * @param {import("./writer.js").WriterOrder} order
 * @param {{ told?: Told, killAfterMs?: number, killOn?: AbortSignal,
 *   injected?: readonly string[] }} settings
 * @returns {Promise<void>}
 */
export async function runWriter(part, order, settings) {
  const { told = createTold(), killAfterMs, killOn, injected = [] } = settings;
  const command = [process.execPath, program, JSON.stringify(order)];
  const [file = "", ...args] = injected.length === 0 ? command : underStrace(injected, command);
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
    said += said.length < 2000 ? text : "";
  });
  let killed = false;
  let pid = 0;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const kill = () => {
    killed = pid > 0 ? tryKill(pid) : child.kill("SIGKILL");
  };
  killOn?.addEventListener("abort", kill);
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("!")) pid = Number(line.slice(1));
      else listen(told, line);
    }
    const mayDie = order.work !== "write" || told.submitted.size > 0;
    if (killAfterMs !== undefined && pid > 0 && mayDie) timer ??= setTimeout(kill, killAfterMs);
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearTimeout(timer);
  if (killed) part.kills += 1;
  else if (code !== 0) {
    part.broken += 1;
    part.notes.push(`a process ended by itself with ${code}: ${said.slice(0, 600)}`);
  }
}

/**
 * @param {Told} told
 * @param {string} line
 */
function listen(told, line) {
  const id = line.slice(1);
  if (line.startsWith("?")) told.submitted.add(id);
  else if (line.startsWith("+")) told.acknowledged.add(id);
  else if (line.startsWith("-")) told.refused.add(id);
}

/**
 * @param {readonly string[]} injected `inject` expressions
 * @param {readonly string[]} command
 */
export function underStrace(injected, command) {
  const calls = injected.map((expression) => expression.split(":")[0]).join(",");
  const faults = injected.flatMap((expression) => ["-e", `inject=${expression}`]);
  return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${calls}`, ...faults, ...command];
}

/** @param {number} pid */
function tryKill(pid) {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
