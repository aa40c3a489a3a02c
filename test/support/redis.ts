/**
 * A Redis server for one test file: the program of `TEST_REDIS_SERVER` (not for TLS), else
 * `redis-server`, else `valkey-server`, of this machine, on a free port with nothing on disk. Without
 * any, tests are skipped with a printed reason, and fail with `CI=true`.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { freePort } from "./free-port.ts";
import { root } from "./gateway-process.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { whenWorkerEnds } from "./when-worker-ends.ts";

export interface TestRedis {
  readonly url: string;
  /** Ends it at once; everything in it is gone. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

const certificates = join(root, "test", "fixtures", "registry-tls");

/** Who vouches for a server with TLS: a file for `NODE_EXTRA_CA_CERTS`. */
export const testAuthority = join(certificates, "ca.pem");

/** Starts a server; `undefined` where there is none and that is allowed. */
export async function startTestRedis({ isTls = false } = {}): Promise<TestRedis | undefined> {
  const given = process.env["TEST_REDIS_SERVER"];
  const program = [
    ...(given === undefined || isTls ? [] : [given]),
    "redis-server",
    "valkey-server",
  ].find((name) => spawnSync(name, ["--version"]).status === 0);
  if (program === undefined) {
    const reason = "expected redis-server or valkey-server on the PATH";
    if (process.env["CI"] === "true") throw new Error(reason);
    console.warn(`skipped: ${reason}`);
    return undefined;
  }
  const port = await freePort();
  const folder = temporaryFolder();
  let server: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const listening = isTls ? tlsAt(port) : ["--port", String(port)];
    const place = [...listening, "--bind", "127.0.0.1", "--dir", folder];
    const child = spawn(program, [...place, "--save", "", "--appendonly", "no"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    server = child;
    await ready(child);
  };
  const stop = async (): Promise<void> => {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  };
  whenWorkerEnds(() => server?.kill("SIGKILL"));
  await start();
  return { url: `${isTls ? "rediss" : "redis"}://127.0.0.1:${port}`, start, stop };
}

/** No other port, and no certificate is asked of clients. */
function tlsAt(port: number): readonly string[] {
  const settings = {
    port: "0",
    "tls-port": String(port),
    "tls-auth-clients": "no",
    "tls-cert-file": join(certificates, "server.pem"),
    "tls-key-file": join(certificates, "server-key.pem"),
    "tls-ca-cert-file": testAuthority,
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("Ready to accept connections")) resolve();
    });
    child.once("exit", () => reject(new Error(`redis did not start: ${said}`)));
    child.once("error", reject);
  });
}
