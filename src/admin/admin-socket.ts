/**
 * Sockets of gateways in the state folder: one for each process, in a folder for its owner alone.
 * What a process left behind that was killed is removed by the next one.
 */
import { chmod, mkdir, readdir, rm, stat } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import type { Clock } from "../contract/ambient.ts";
import { codeOf } from "../errors.ts";

/** `sun_path` has 104 bytes on macOS and 108 on Linux. */
const maxPathBytes = 100;
/** Between being made and being listened on a socket looks as if its process were gone. */
const youngMs = 10_000;
const patienceMs = 1000;

/** Folder of the sockets. */
export function socketFolder(stateDir: string): string {
  return join(stateDir, "admin");
}

/** A path for a new socket in a private folder; `undefined` where no socket can have it. */
export async function prepareSocket(stateDir: string, name: string): Promise<string | undefined> {
  const folder = socketFolder(stateDir);
  const path = join(folder, `${name}.sock`);
  if (process.platform === "win32" || Buffer.byteLength(path) > maxPathBytes) return undefined;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  return path;
}

/** All sockets of a state folder, whether somebody listens or not. */
export async function listSockets(stateDir: string): Promise<readonly string[]> {
  const folder = socketFolder(stateDir);
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith(".sock"))
    .toSorted()
    .map((name) => join(folder, name));
}

/** Removes sockets on which nobody listens. */
export async function removeStaleSockets(stateDir: string, clock: Clock): Promise<void> {
  for (const path of await listSockets(stateDir)) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || clock.nowMs() - found.mtimeMs < youngMs) continue;
    if (await isStale(path)) await rm(path, { force: true });
  }
}

function isStale(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(path);
    const end = (answer: boolean) => (): void => {
      connection.destroy();
      resolve(answer);
    };
    connection.setTimeout(patienceMs, end(false));
    connection.once("connect", end(false));
    connection.once("error", (thrown) => end(codeOf(thrown) === "ECONNREFUSED")());
  });
}
