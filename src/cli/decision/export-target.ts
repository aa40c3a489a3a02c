/**
 * Where an export goes: to a receiver over HTTP, to a file, or to stdout.
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { isLoopbackHost } from "../../bundle/sources/loopback-host.ts";
import { linesText } from "../../decision/export/event-sink.ts";
import { sendEvents } from "../../decision/export/send-events.ts";
import { messageOf } from "../../errors.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";

export interface ExportTarget {
  /** Resolves once the lines are where they should be: taken by the receiver, or on the disk. */
  readonly take: (lines: readonly string[]) => Promise<void>;
  readonly close: () => void;
}

interface TargetOptions {
  readonly format: string;
  readonly file?: string;
  readonly to?: string;
  readonly tokenFile?: string;
  readonly position?: string;
}

/** Opens the one that the options name. */
export function openExportTarget(io: CliIo, options: TargetOptions): ExportTarget {
  const { file, to, tokenFile } = options;
  if (file !== undefined && to !== undefined) throw usage("expected either -f or --to");
  if (tokenFile !== undefined && to === undefined) throw usage("--token-file is for --to");
  if (to !== undefined) return receiverAt(io, to, options);
  if (file !== undefined) return fileAt(resolve(io.cwd, file), options.position !== undefined);
  return { take: async (lines) => lines.forEach((line) => io.out(line)), close: () => undefined };
}

function receiverAt(io: CliIo, to: string, { format, tokenFile }: TargetOptions): ExportTarget {
  if (format !== "opa") throw usage("expected --format opa with --to");
  const url = URL.canParse(to) ? new URL(to) : undefined;
  const isHttp = url?.protocol === "https:" || url?.protocol === "http:";
  if (url === undefined || !isHttp || url.username !== "" || url.password !== "") {
    throw usage("expected --to to be an http or https URL without a user or password");
  }
  if (tokenFile !== undefined && url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    throw usage("expected --to to be an https URL where --token-file is given");
  }
  const bearer = tokenFile === undefined ? undefined : readToken(resolve(io.cwd, tokenFile));
  const headers: Readonly<Record<string, string>> =
    bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
  const receiver = { url: url.href, headers, fetch };
  return { take: (lines) => sendEvents(receiver, lines), close: () => undefined };
}

/** One that goes on is appended to; any other begins anew. */
function fileAt(path: string, goesOn: boolean): ExportTarget {
  const descriptor = openSync(path, goesOn ? "a" : "w", 0o600);
  return {
    take: async (lines) => {
      writeAll(descriptor, Buffer.from(linesText(lines)));
      fsyncSync(descriptor);
    },
    close: () => closeSync(descriptor),
  };
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(descriptor, bytes, written);
  }
}

function readToken(path: string): string {
  try {
    const token = readFileSync(path, "utf8").trim();
    if (/^[\x21-\x7e]+$/.test(token)) return token;
  } catch (thrown) {
    throw usage(`expected to read --token-file, found: ${messageOf(thrown)}`);
  }
  throw usage("expected --token-file to hold one token of visible ASCII characters");
}

function usage(message: string): CliError {
  return new CliError(exitCodes.usage, message);
}
