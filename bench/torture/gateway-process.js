/**
 * The built gateway on stdio before the server that writes down what reaches it, and a client that
 * sends calls until one of the two is gone.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBundles } from "../../scripts/build-bundles.js";
import { underStrace } from "./run-writer.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "dist", "bin", "main.js");
const echo = fileURLToPath(new URL("../echo-server.js", import.meta.url));
const watcherMs = 180_000;
const afterRefusalMs = 5;

/** @typedef {{ config: string, received: string, env: Record<string, string> }} Site */

/**
 * A state folder, a policy that lets everything through and a configuration.
 *
 * @param {string} folder
 * @param {{ decisions?: object, stateDir?: string }} settings
 * @returns {Promise<Site>}
 */
export async function prepareSite(folder, { decisions = {}, stateDir = join(folder, "state") }) {
  const layout = join(folder, "layout");
  await buildBundles(writePolicy(folder), layout);
  const received = join(folder, "received");
  writeFileSync(received, "");
  const config = join(folder, "mcp-gateway.config.json");
  const server = {
    command: process.execPath,
    args: [echo],
    env: { ECHO_RECEIVED: received },
    policy: `oci-layout:${layout}:echo`,
  };
  const settings = {
    agent: { id: "torture" },
    user: { id: "torture" },
    servers: { echo: server },
    policy: { deadline_ms: 5000 },
    decisions,
  };
  writeFileSync(config, JSON.stringify(settings), { mode: 0o600 });
  const { PATH = "" } = process.env;
  const env = {
    PATH,
    HOME: folder,
    XDG_CACHE_HOME: join(folder, "cache"),
    MCP_GATEWAY_STATE: stateDir,
    MCP_GATEWAY_LOG: "error",
  };
  return { config, received, env };
}

/** @param {string} folder */
function writePolicy(folder) {
  const own = join(folder, "policies", "echo");
  mkdirSync(own, { recursive: true });
  const metadata = { name: "echo", layer: "server", policy_package: "echo" };
  writeFileSync(
    join(own, ".manifest"),
    JSON.stringify({ revision: "1.0.0", roots: ["echo"], metadata }),
  );
  const rule = 'allow contains "anything" if input.action.type == "tool_call"';
  writeFileSync(join(own, "policy.rego"), `package echo\n\n${rule}\n`);
  return join(folder, "policies");
}

/**
 * @typedef {{ answered: string[], refused: string[] }} Heard texts of arguments
 * @typedef {{ heard: Heard, killed: boolean, code: number | null }} Ended
 */

/**
 * Starts the gateway and sends it calls, several in flight, until it ends: so many, or until it is
 * enough. Argument texts are unique. `killAfterMs` counts from the first answer.
 *
 * @param {Site} site
 * @param {{ prefix: string, inFlight: number, calls: number, killAfterMs?: number | undefined,
 *   injected?: readonly string[], fillerBytes?: number, onAnswer?: (heard: Heard) => void,
 *   isEnough?: (heard: Heard) => boolean }} settings
 * @returns {Promise<Ended>}
 */
export async function runGateway(site, settings) {
  const {
    prefix,
    inFlight,
    calls,
    killAfterMs,
    injected = [],
    onAnswer,
    isEnough = () => false,
    fillerBytes = 0,
  } = settings;
  const command = [process.execPath, bin, "serve", "--stdio", "--config", site.config];
  const [file = "", ...args] = injected.length === 0 ? command : underStrace(injected, command);
  const child = spawn(file, args, { env: site.env, stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => undefined);
  /** @type {Heard} */
  const heard = { answered: [], refused: [] };
  let killed = false;
  let sent = 0;
  /** @type {NodeJS.Timeout | undefined} */
  let killing;
  const kill = () => {
    killed = child.kill("SIGKILL");
  };
  const filler = "x".repeat(fillerBytes);
  const argumentsOf = (/** @type {number} */ id) => ({ n: `${prefix}-${id}`, filler });
  const send = (/** @type {object} */ message) =>
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const sendNext = () => {
    if (sent >= calls || isEnough(heard)) {
      if (heard.answered.length + heard.refused.length >= sent) child.stdin.end();
      return;
    }
    sent += 1;
    const args = argumentsOf(sent);
    send({ id: sent, method: "tools/call", params: { name: "echo__echo", arguments: args } });
  };
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const { id, result } = JSON.parse(line);
      if (id === "hello") {
        send({ method: "notifications/initialized" });
        for (let call = 0; call < inFlight; call += 1) sendNext();
      } else if (typeof id === "number") {
        const isRefused = result === undefined || result.isError === true;
        heard[isRefused ? "refused" : "answered"].push(JSON.stringify(argumentsOf(id)));
        onAnswer?.(heard);
        if (isRefused) setTimeout(sendNext, afterRefusalMs);
        else sendNext();
        if (killAfterMs !== undefined && !isRefused) killing ??= setTimeout(kill, killAfterMs);
      }
    }
  });
  const clientInfo = { name: "torture", version: "1" };
  send({
    id: "hello",
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo },
  });
  const timer = setTimeout(kill, watcherMs);
  const code = await new Promise((resolve) => {
    child.once("close", resolve);
  });
  clearTimeout(timer);
  clearTimeout(killing);
  return { heard, killed, code };
}
