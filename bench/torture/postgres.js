/**
 * A PostgreSQL server of its own, from the binaries of the distribution, in a temporary folder and on
 * loopback. It can be frozen, stopped like a crash, and started again. It does not sync its files
 * unless it is asked to: nothing here takes power from the machine.
 */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../scripts/free-port.js";

const installed = "/usr/lib/postgresql";
/** Postgres refuses to run as root; this user owns nothing. */
const nobody = 65_534;

/** @typedef {Awaited<ReturnType<typeof startPostgres>>} Postgres */

/** Where the newest binaries are; `undefined` where there are none. */
export function findPostgres() {
  if (!existsSync(installed)) return undefined;
  const versions = readdirSync(installed).toSorted((left, right) => Number(right) - Number(left));
  return versions
    .map((version) => join(installed, version, "bin"))
    .find((folder) => existsSync(join(folder, "postgres")));
}

/**
 * @param {string} binaries
 * @param {string} parent is made readable for everybody
 * @param {{ syncs?: boolean }} settings
 */
export async function startPostgres(binaries, parent, { syncs = false } = {}) {
  const folder = join(parent, "postgres");
  mkdirSync(folder);
  const isRoot = process.getuid?.() === 0;
  const identity = isRoot ? { uid: nobody, gid: nobody } : {};
  if (isRoot) {
    chownSync(folder, nobody, nobody);
    for (const above of [join(parent, ".."), parent]) chmodSync(above, 0o755);
  }
  const files = join(folder, "data");
  const options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"];
  execFileSync(join(binaries, "initdb"), [`--pgdata=${files}`, ...options], {
    ...identity,
    cwd: folder,
    stdio: "ignore",
  });
  const port = await freePort();
  const program = join(binaries, "postgres");
  const address = `-p ${port} -h 127.0.0.1 -c unix_socket_directories=`.split(" ");
  const args = ["-D", files, ...(syncs ? [] : ["-F"]), ...address];
  let server = await start(program, args, identity);
  const signal = (/** @type {NodeJS.Signals} */ name) => {
    for (const pid of [server.pid ?? 0, ...childrenOf(server.pid ?? 0)]) tryKill(pid, name);
  };
  // Nothing is left behind where a run ends by itself in the middle.
  process.on("exit", () => {
    signal("SIGCONT");
    server.kill("SIGQUIT");
  });
  const stop = async () => {
    const ended = new Promise((resolve) => {
      server.once("exit", resolve);
    });
    server.kill("SIGQUIT");
    await ended;
  };
  return {
    port,
    /** @param {string} database */
    url: (database, at = port) => `postgres://postgres@127.0.0.1:${at}/${database}`,
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    /** Ends it like a crash. */
    stop,
    start: async () => {
      server = await start(program, args, identity);
    },
  };
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ uid?: number, gid?: number }} identity
 * @returns {Promise<import("node:child_process").ChildProcess>}
 */
async function start(program, args, identity) {
  const server = spawn(program, args, {
    ...identity,
    cwd: "/",
    // A frozen member of a process group whose leader's parent has ended brings SIGHUP to all of it.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  await new Promise((resolve, reject) => {
    server.stderr.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      said += said.length < 10_000 ? text : "";
      if (said.includes("ready to accept connections")) resolve(undefined);
    });
    server.once("exit", () => reject(new Error(`expected postgres to start, found: ${said}`)));
  });
  return server;
}

/**
 * One of its processes may have ended meanwhile.
 *
 * @param {number} pid
 * @param {NodeJS.Signals} name
 */
function tryKill(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone.
  }
}

/** @param {number} pid */
function childrenOf(pid) {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    return parentOf(name) === pid ? [Number(name)] : [];
  });
}

/** @param {string} pid */
function parentOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[1]);
  } catch {
    return 0;
  }
}
