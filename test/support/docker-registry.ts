/**
 * Debian's `docker-registry` on a free loopback port with its own storage, ended by its own id.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

export interface DockerRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly close: () => Promise<void>;
}

const places = ["/usr/bin", "/usr/local/bin"];

/**
 * True where a program is installed. In CI a missing one is an error: a suite that skips itself
 * there proves nothing.
 */
export function isInstalled(program: string, isCi = process.env["CI"] === "true"): boolean {
  const found = places.some((place) => existsSync(join(place, program)));
  if (!found && isCi) throw new Error(`expected ${program} to be installed in CI, found none`);
  return found;
}

/** What a registry with token authentication has to know. */
export interface TokenAuthentication {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** PEM file of the authority of the tokens' signer. */
  readonly rootcertbundle: string;
}

/** Starts a registry in a folder; with users it wants Basic authentication, else tokens if any. */
export async function startDockerRegistry(
  folder: string,
  users: Readonly<Record<string, string>> = {},
  token?: TokenAuthentication,
): Promise<DockerRegistry> {
  const host = `127.0.0.1:${await freePort()}`;
  await mkdir(folder, { recursive: true });
  const config = join(folder, "config.json");
  await writeFile(config, JSON.stringify(await configure(folder, host, users, token)));
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  const ended = once(child, "exit");
  await eventually(() => isUp(host), 60_000);
  return {
    host,
    close: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Runs a program and returns what it wrote. */
export async function runProgram(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args]);
  return stdout;
}

async function configure(
  folder: string,
  host: string,
  users: Readonly<Record<string, string>>,
  token: TokenAuthentication | undefined,
): Promise<object> {
  const base = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, "storage") } },
    http: { addr: host },
  };
  if (token !== undefined) return { ...base, auth: { token } };
  if (Object.keys(users).length === 0) return base;
  const lines = Object.entries(users).map(
    async ([name, password]) => await runProgram("htpasswd", ["-Bbn", name, password]),
  );
  const path = join(folder, "htpasswd");
  await writeFile(path, (await Promise.all(lines)).join(""));
  return { ...base, auth: { htpasswd: { realm: "policies", path } } };
}

async function isUp(host: string): Promise<boolean> {
  return await fetch(`http://${host}/v2/`).then(
    () => true,
    () => false,
  );
}
