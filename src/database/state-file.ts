/**
 * Files of the state folder that several gateways on one machine share: read whole within a size and
 * without following links, written so that a reader sees the old file or the new one and a crash
 * leaves either.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf, messageOf } from "../errors.ts";

export type StateFileReading =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "absent" }
  | { readonly kind: "unreadable"; readonly reason: string };

/** Reads a regular file of at most `maxBytes` of UTF-8; never throws. */
export async function readStateFile(path: string, maxBytes: number): Promise<StateFileReading> {
  try {
    return await readWithin(path, maxBytes);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return { kind: "absent" };
    return unreadable(path, codeOf(thrown) ?? messageOf(thrown));
  }
}

/**
 * Writes a file whole or not at all, for its owner alone, and makes it durable.
 *
 * @throws Error of the file system
 */
export async function writeStateFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeNew(temporary, text);
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
  await syncFolder(dirname(path));
}

async function readWithin(path: string, maxBytes: number): Promise<StateFileReading> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = await file.stat();
    if (!status.isFile()) return unreadable(path, "it is no regular file");
    if (status.size > maxBytes) return unreadable(path, `it is longer than ${maxBytes} bytes`);
    const bytes = await file.readFile();
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } finally {
    await file.close();
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the rename itself durable; where a folder cannot be opened (Windows) it already is. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unreadable(path: string, reason: string): StateFileReading {
  return { kind: "unreadable", reason: `cannot use ${path}: ${reason}` };
}
