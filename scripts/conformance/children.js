/**
 * The processes around a run: fixture servers, and the gateway with a configuration and a state
 * folder of its own, as an HTTP server or as a command for a client.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../free-port.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const bin = join(root, "dist", "bin", "main.js");
export const fixtures = join(root, "test", "fixtures", "conformance");

/** Id of the one server behind the gateway, and name of its bundle. */
export const serverId = "conformance";

/**
 * @typedef {{ url: string, close: () => Promise<void> }} Running
 * @typedef {{ config: string, env: Record<string, string> }} Setting
 */

/**
 * Starts a fixture server on a port that is free.
 *
 * @param {"legacy" | "modern"} name
 * @returns {Promise<Running>}
 */
export async function startFixture(name) {
  const child = spawn(process.execPath, [join(fixtures, `${name}-server.js`)], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const line = await firstLine(child, child.stdout, `the ${name} fixture`);
  return { url: line.replace("listening on ", ""), close: () => end(child) };
}

/**
 * Writes a configuration with one server, everything allowed, and an environment with fresh folders.
 *
 * @param {string} layout OCI layout that holds the bundle
 * @param {Record<string, unknown>} server members of the server's entry
 * @returns {Setting}
 */
export function makeSetting(layout, server) {
  const folder = mkdtempSync(join(tmpdir(), "conformance-gateway-"));
  const config = join(folder, "mcp-gateway.config.json");
  const entry = {
    naming: "bare",
    to_client: ["sampling", "elicitation", "roots"],
    policy: `oci-layout:${layout}:allow-all`,
    ...server,
  };
  const who = { agent: { id: "suite" }, user: { id: "suite" } };
  writeFileSync(config, JSON.stringify({ ...who, servers: { [serverId]: entry } }, undefined, 2));
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    XDG_CACHE_HOME: join(folder, "cache"),
    MCP_GATEWAY_STATE: join(folder, "state"),
    MCP_GATEWAY_LOG: process.env["MCP_GATEWAY_LOG"] ?? "warn",
  };
  return { config, env };
}

/**
 * Starts `serve --http` and waits until it is ready.
 *
 * @param {Setting} setting
 * @returns {Promise<Running>}
 */
export async function startGateway({ config, env }) {
  const port = await freePort();
  const args = [bin, "serve", "--http", `127.0.0.1:${port}`, "--config", config];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  const origin = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + 30_000;
  while (!(await isReady(`${origin}/readyz`))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await end(child);
      throw new Error(`expected serve --http to become ready, found exit code ${child.exitCode}`);
    }
    await wait(100);
  }
  return { url: `${origin}/mcp`, close: () => end(child) };
}

/** @param {string} url */
async function isReady(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<void>}
 */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await closed;
  clearTimeout(timer);
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {import("node:stream").Readable} stream
 * @param {string} what
 * @returns {Promise<string>}
 */
function firstLine(child, stream, what) {
  return new Promise((resolve, reject) => {
    let text = "";
    stream.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`${what} ended with exit code ${code}`)));
  });
}
