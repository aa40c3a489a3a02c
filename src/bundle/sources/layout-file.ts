/**
 * Files of an OCI image layout on disk: read without following links and within a size, written
 * so that a reader sees the old file or the new one and a crash leaves either.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf, messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";

/** Permission bits of what is created. */
export interface FileModes {
  readonly file: number;
  readonly folder: number;
}

/** For the cache: nobody else may read it, let alone write. */
export const privateModes: FileModes = { file: 0o600, folder: 0o700 };
/** For a layout that somebody asked for: as the umask says. */
export const sharedModes: FileModes = { file: 0o666, folder: 0o777 };

/**
 * Reads a regular file of at most `maxBytes`.
 *
 * @returns `undefined` where there is no such file
 * @throws BundleError `bundle_storage_failed`, `bundle_too_large`
 */
export async function readLayoutFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let file: FileHandle;
  try {
    file = await open(path, flags);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT" || codeOf(thrown) === "ENOTDIR") return undefined;
    throw storageFailed("read", path, thrown);
  }
  try {
    return await readWithin(file, path, maxBytes);
  } finally {
    await file.close();
  }
}

async function readWithin(file: FileHandle, path: string, maxBytes: number): Promise<Buffer> {
  const status = await file.stat();
  if (!status.isFile()) throw storageFailed("read", path, "it is no regular file");
  if (status.size > maxBytes) {
    throw new BundleError(
      "bundle_too_large",
      `${path}: expected at most ${maxBytes} bytes, found ${status.size}`,
    );
  }
  const buffer = Buffer.alloc(status.size);
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/**
 * Writes a file whole or not at all: new temporary file, `fsync`, rename over the old one. Makes
 * the folder where it is missing.
 *
 * @throws BundleError `bundle_storage_failed`
 */
export async function writeLayoutFile(
  path: string,
  bytes: Uint8Array,
  modes: FileModes,
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: modes.folder });
    await writeNew(temporary, bytes, modes.file);
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(ignore);
    throw storageFailed("write", path, thrown);
  }
}

function ignore(): void {}

async function writeNew(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The error of a folder that does not do what a file system should. */
export function storageFailed(verb: string, path: string, cause: unknown): BundleError {
  return new BundleError(
    "bundle_storage_failed",
    `cannot ${verb} ${path}: ${codeOf(cause) === "ELOOP" ? "it is a symbolic link" : messageOf(cause)}`,
    { cause },
  );
}
