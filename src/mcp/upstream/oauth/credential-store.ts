/**
 * Where logins outlive a process: `<state>/oauth`, mode 0700, one file of mode 0600 for each server,
 * URL and issuer. A file that anybody else can read, or that is not this user's, is refused, because
 * what is in it is no secret any more. Writing is atomic; who changes a credential holds the lock,
 * since a refresh token is good for one use only.
 */
import { constants } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../../../contract/ambient.ts";
import { sha256Of } from "../../../contract/sha256.ts";
import { acquireProcessLock } from "../../../database/process-lock.ts";
import { codeOf } from "../../../errors.ts";
import { decodeCredential, encodeCredential } from "./credential.ts";
import type { Credential } from "./credential.ts";
import { OauthError } from "./oauth-error.ts";
import type { OauthServer } from "./oauth-server.ts";

const maxFileBytes = 262_144;
const lockWaitMs = 30_000;
const hashLength = 32;

/** The folder of the store below the state folder. */
function folderOf(stateDir: string): string {
  return join(stateDir, "oauth");
}

/**
 * The login of a server at its present URL; the newest where several issuers left one.
 *
 * @throws OauthError `oauth_store_insecure`, `oauth_store_unusable`.
 */
export async function loadCredential(
  stateDir: string,
  server: OauthServer,
): Promise<Credential | undefined> {
  const found: Credential[] = [];
  for (const name of await namesOf(stateDir, server)) {
    const content = await readPrivately(join(folderOf(stateDir), name));
    const credential = content === undefined ? undefined : decodeCredential(content);
    if (credential?.server === server.id && credential.url === server.url) found.push(credential);
  }
  return found.toSorted((a, b) => b.tokens.obtainedAtMs - a.tokens.obtainedAtMs)[0];
}

/**
 * Keeps a credential and forgets those of the server's other issuers and URLs.
 *
 * @throws OauthError `oauth_store_insecure`, `oauth_store_unusable`.
 */
export async function saveCredential(stateDir: string, credential: Credential): Promise<void> {
  const folder = await ensureFolder(stateDir);
  const name = nameOf(credential);
  await writeAtomically(folder, name, encodeCredential(credential));
  const server = { id: credential.server, url: credential.url, oauth: undefined };
  for (const other of await namesOf(stateDir, server)) {
    if (other !== name) await rm(join(folder, other), { force: true });
  }
}

/** Forgets everything of a server, whatever its URL was; true where something was there. */
export async function removeCredentials(stateDir: string, server: OauthServer): Promise<boolean> {
  const names = await namesOf(stateDir, server);
  for (const name of names) await rm(join(folderOf(stateDir), name), { force: true });
  return names.length > 0;
}

/**
 * Runs a change of a server's credential while no other process makes one.
 *
 * @throws OauthError `oauth_store_unusable` where another one does not come to an end.
 */
export async function withCredentialLock<Value>(
  stateDir: string,
  server: OauthServer,
  clock: Clock,
  run: () => Promise<Value>,
): Promise<Value> {
  const folder = join(await ensureFolder(stateDir), `${server.id}.lock`);
  const attempt = await acquireProcessLock(folder, { clock, waitMs: lockWaitMs });
  if (!attempt.ok) {
    const message = `server "${server.id}": another process has been changing its login for ${lockWaitMs / 1000} s; end it and try again`;
    throw new OauthError("oauth_store_unusable", message);
  }
  try {
    return await run();
  } finally {
    await attempt.lock.release();
  }
}

function nameOf({ server, url, issuer }: Credential): string {
  const hash = sha256Of(JSON.stringify([url, issuer])).slice("sha256:".length);
  return `${server}-${hash.slice(0, hashLength)}.json`;
}

async function namesOf(stateDir: string, { id }: OauthServer): Promise<readonly string[]> {
  const folder = folderOf(stateDir);
  try {
    await checkPrivate(folder, await stat(folder));
    const names = await readdir(folder);
    return names.filter((name) => {
      const rest = name.startsWith(`${id}-`) ? name.slice(id.length + 1) : "";
      return rest.length === hashLength + ".json".length && /^[0-9a-f]+\.json$/.test(rest);
    });
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return [];
    throw storeError(folder, thrown);
  }
}

async function ensureFolder(stateDir: string): Promise<string> {
  const folder = folderOf(stateDir);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await checkPrivate(folder, await stat(folder));
    return folder;
  } catch (thrown) {
    throw storeError(folder, thrown);
  }
}

/** `undefined` where the file went away meanwhile. Everything is judged on the open file. */
async function readPrivately(path: string): Promise<string | undefined> {
  let file: FileHandle | undefined;
  try {
    // Windows has none of these flags and reads `undefined` as 0.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    file = await open(path, flags);
    const found = await file.stat();
    await checkPrivate(path, found);
    if (!found.isFile() || found.size > maxFileBytes) return undefined;
    return await file.readFile("utf8");
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw storeError(path, thrown);
  } finally {
    await file?.close();
  }
}

async function checkPrivate(
  path: string,
  found: { readonly mode: number; readonly uid: number },
): Promise<void> {
  if (process.platform === "win32") return;
  const uid = process.getuid?.();
  const isOwn = uid === undefined || found.uid === uid;
  if (isOwn && (found.mode & 0o077) === 0) return;
  const message = `expected ${path} to be readable by its owner alone; run chmod go-rwx ${path}, and log in again if others may have read it`;
  throw new OauthError("oauth_store_insecure", message);
}

async function writeAtomically(folder: string, name: string, content: string): Promise<void> {
  const draft = join(folder, `.${randomUUID()}.draft`);
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, join(folder, name));
  } catch (thrown) {
    await rm(draft, { force: true });
    throw storeError(folder, thrown);
  }
  await syncFolder(folder);
}

/** Makes the rename durable where the platform can. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function storeError(path: string, thrown: unknown): OauthError {
  if (thrown instanceof OauthError) return thrown;
  const reason = codeOf(thrown) ?? "an unexpected error";
  const message = `cannot use ${path} for logins: ${reason}; repair the state folder`;
  return new OauthError("oauth_store_unusable", message);
}
