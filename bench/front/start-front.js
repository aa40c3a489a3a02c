/**
 * Two processes to compare: the HTTP front before a gateway that answers at once, bundled from the
 * sources as the bin is, and an echo on `node:http`.
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const own = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));

/** Starts both; `close` ends them. */
export async function startFront() {
  const folder = mkdtempSync(join(tmpdir(), "bench-front-"));
  const bundled = join(folder, "front-server.mjs");
  await build({
    entryPoints: [own("front-server.js")],
    outfile: bundled,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    logLevel: "warning",
  });
  const servers = [start(bundled), start(own("echo-server.js"))];
  const [frontUrl = "", echoUrl = ""] = await Promise.all(servers.map(({ url }) => url));
  const close = async () => {
    await Promise.all(servers.map(({ end }) => end()));
    rmSync(folder, { recursive: true });
  };
  return {
    frontUrl,
    echoUrl,
    frontPid: servers[0]?.pid ?? 0,
    echoPid: servers[1]?.pid ?? 0,
    close,
  };
}

/** @param {string} file */
function start(file) {
  const child = fork(file, {
    execArgv: (process.env["BENCH_NODE_ARGS"] ?? "").split(" ").filter(Boolean),
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return {
    pid: child.pid ?? 0,
    /** @type {Promise<string>} */
    url: new Promise((resolve) => child.once("message", resolve)),
    end: async () => {
      child.disconnect();
      await ended;
    },
  };
}
