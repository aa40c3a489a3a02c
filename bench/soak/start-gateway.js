/**
 * The gateway under soak, as an operator would start it: the built bin over HTTP with a token for
 * each principal, before a server on stdio, one on stdio that asks its clients, and one on HTTP.
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { buildBundles } from "../../scripts/build-bundles.js";
import { startFixture } from "../../scripts/conformance/children.js";
import { sampleProcess } from "./process-sample.js";
import { freePort } from "../../scripts/free-port.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "dist", "bin", "main.js");
const upstream = join(root, "bench", "soak-upstream.js");
const collector = new URL("collect.js", import.meta.url);
const principals = 10;
const serverIds = ["notes", "desk", "web"];

/**
 * @typedef {{ url: string, pid: number, tokens: readonly string[], stderr: () => string,
 *   sample: () => import("./judge.js").Sample, close: () => Promise<number | null> }} Gateway
 */

/**
 * Starts everything and waits until it is ready; `close` ends it and resolves with the exit code.
 *
 * @param {string} folder for everything that is written
 * @param {{ idleSeconds: number, sampleSeconds: number }} settings how soon sessions and servers
 *   count as idle, and how often the gateway is looked at
 * @returns {Promise<Gateway>}
 */
export async function startGateway(folder, { idleSeconds, sampleSeconds }) {
  const layout = join(folder, "layout");
  await buildBundles(writePolicies(folder), layout);
  const web = await startFixture("modern");
  const tokens = Array.from({ length: principals }, () => randomBytes(32).toString("hex"));
  const config = join(folder, "mcp-gateway.config.json");
  writeFileSync(config, JSON.stringify(configOf(layout, web.url, tokens, idleSeconds)));
  const heapFile = join(folder, "heap");
  writeFileSync(heapFile, "0");
  const port = await freePort();
  const watched = ["--expose-gc", "--import", collector.href];
  const args = [...watched, bin, "serve", "--http", `127.0.0.1:${port}`, "--config", config];
  const child = spawn(process.execPath, args, {
    env: {
      ...environment(folder),
      SOAK_HEAP_FILE: heapFile,
      SOAK_COLLECT_MS: String(sampleSeconds * 1000),
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const close = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 40_000);
    await ended;
    clearTimeout(timer);
    await web.close();
    return child.exitCode;
  };
  const origin = `http://127.0.0.1:${port}`;
  const deadlineMs = performance.now() + 60_000;
  while (!(await isReady(`${origin}/readyz`))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      await close();
      throw new Error(`expected the gateway to become ready, found:\n${stderr}`);
    }
    await wait(100);
  }
  const pid = child.pid ?? 0;
  const sample = () => ({
    heapMb: Number(readFileSync(heapFile, "utf8")) / 1024 ** 2,
    ...sampleProcess(pid),
  });
  return { url: `${origin}/mcp`, pid, tokens, stderr: () => stderr, sample, close };
}

/**
 * @param {string} layout
 * @param {string} webUrl
 * @param {readonly string[]} tokens
 * @param {number} idleSeconds
 */
function configOf(layout, webUrl, tokens, idleSeconds) {
  const policyOf = (/** @type {string} */ id) => `oci-layout:${layout}:${id}`;
  const onStdio = (/** @type {string} */ id) => ({
    command: process.execPath,
    args: [upstream, id],
    policy: policyOf(id),
    idle_timeout_ms: idleSeconds * 1000,
    max_connections: 256,
  });
  return {
    agent: { id: "soak" },
    user: { id: "soak" },
    servers: {
      notes: onStdio("notes"),
      // Never idle: a process of a session ends with its session, or it is left behind.
      desk: {
        ...onStdio("desk"),
        idle_timeout_ms: 0,
        sharing: "session",
        to_client: ["elicitation"],
      },
      web: { url: webUrl, policy: policyOf("web"), idle_timeout_ms: idleSeconds * 1000 },
    },
    // The machine may be busy with the load itself; this is no measure of policies.
    policy: { deadline_ms: 5000 },
    http: {
      session_idle_seconds: idleSeconds,
      authorization: {
        tokens: tokens.map((token, index) => ({
          sha256: createHash("sha256").update(token).digest("hex"),
          agent: { id: "soak" },
          user: { id: `user-${index}` },
        })),
      },
    },
  };
}

/**
 * One bundle for each server, since a bundle is bound to its name.
 *
 * @param {string} folder
 * @returns {string}
 */
function writePolicies(folder) {
  const sources = join(folder, "policies");
  for (const id of serverIds) {
    const own = join(sources, id);
    mkdirSync(own, { recursive: true });
    const metadata = { name: id, layer: "server", policy_package: id };
    const manifest = { revision: "1.0.0", roots: [id], metadata };
    writeFileSync(join(own, ".manifest"), JSON.stringify(manifest));
    writeFileSync(join(own, "policy.rego"), policyOf(id));
  }
  return sources;
}

/** @param {string} id */
function policyOf(id) {
  return `package ${id}

# METADATA
# title: Anything
# description: Every action of the soak.
# custom:
#   id: ${id}.anything
#   severity: low
#   actions: [prompt_get, resource_read, resource_subscribe, elicitation]
allow contains {"rule": rego.metadata.rule()} if {
	input.action.server
}
`;
}

/**
 * @param {string} folder
 * @returns {Record<string, string>}
 */
function environment(folder) {
  const { PATH = "", NODE_OPTIONS = "", MCP_GATEWAY_LOG = "warn" } = process.env;
  return {
    PATH,
    // For a look inside, `--heapsnapshot-signal=SIGUSR2` for one.
    NODE_OPTIONS,
    HOME: folder,
    XDG_CACHE_HOME: join(folder, "cache"),
    MCP_GATEWAY_STATE: join(folder, "state"),
    MCP_GATEWAY_LOG,
  };
}

/** @param {string} url */
async function isReady(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
