/**
 * Reads a file whose content decides what runs, or is a secret. Everything is judged on the open
 * file, so that one that is swapped in between is not the one that counts; what is no regular file
 * is refused before it can keep anybody waiting.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { codeOf, messageOf } from "../errors.ts";

export interface TrustedFileOptions {
  readonly maxBytes: number;
  /** False where the platform has no POSIX permissions. */
  readonly checkModes: boolean;
}

/** The text, or why it is not taken; the message names the path and nothing of the content. */
export type TrustedRead =
  | { readonly ok: true; readonly text: string; readonly readableByAll: boolean }
  | {
      readonly ok: false;
      readonly reason: "missing" | "unreadable" | "world_writable";
      readonly message: string;
      readonly cause?: unknown;
    };

/** Reads UTF-8 text from an absolute path. */
export function readTrustedFile(path: string, options: TrustedFileOptions): TrustedRead {
  try {
    // Without O_NONBLOCK a pipe would be waited for; Windows has neither and reads `undefined` as 0.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readOpen(descriptor, path, options);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    const reason = codeOf(cause) === "ENOENT" ? "missing" : "unreadable";
    const message = `cannot read ${path}: ${codeOf(cause) ?? messageOf(cause)}`;
    return { ok: false, reason, message, cause };
  }
}

function readOpen(
  descriptor: number,
  path: string,
  { maxBytes, checkModes }: TrustedFileOptions,
): TrustedRead {
  const stat = fstatSync(descriptor);
  if (!stat.isFile()) return unreadable(`expected a file at ${path}`);
  if (stat.size > maxBytes) {
    return unreadable(`expected at most ${maxBytes} bytes in ${path}, found ${stat.size}`);
  }
  if (checkModes && (stat.mode & 0o002) !== 0) {
    const message = `every user can write ${path}; run chmod o-w ${path}`;
    return { ok: false, reason: "world_writable", message };
  }
  const text = decode(readFileSync(descriptor));
  if (text === undefined) return unreadable(`expected UTF-8 text in ${path}`);
  return { ok: true, text, readableByAll: checkModes && (stat.mode & 0o004) !== 0 };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function unreadable(message: string): TrustedRead {
  return { ok: false, reason: "unreadable", message };
}
