/**
 * One upstream server as a child process: started with its own process group and a clean
 * environment, guarded by the watchdog, ended politely and then not.
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../contract/ambient.ts";
import { PrivateKeyPieces } from "../../contract/private-key-pieces.ts";
import { messageOf } from "../../errors.ts";
import { createFrameReader } from "../wire/read-frames.ts";
import type { Watchdog } from "./watchdog.ts";

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** The child's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface ServerProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves with a sentence once the process has ended or could not be started. */
  readonly ended: Promise<string>;
  /** Closes its input, then SIGTERM, then SIGKILL to its group; resolves when it is gone. */
  readonly close: () => Promise<void>;
}

const politeMs = 1500;
const maxStderrLineBytes = 8192;

/** Starts the process; a command that cannot be started shows in `ended`. */
export function startServerProcess(
  command: ServerCommand,
  deps: { readonly watchdog: Watchdog; readonly log: Log },
): ServerProcess {
  const child = spawn(command.command, [...command.args], {
    cwd: command.cwd,
    env: { ...command.env },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    windowsHide: true,
  });
  const group = child.pid;
  if (group !== undefined) deps.watchdog.guard(group);
  child.stdin.on("error", (error) =>
    deps.log.debug({ reason: error.message }, "upstream input closed"),
  );
  logStderr(child, deps.log);
  const ended = whenEnded(child).then((reason) => {
    if (group !== undefined) {
      signalGroup(group, "SIGKILL");
      deps.watchdog.release(group);
    }
    return reason;
  });
  return { stdin: child.stdin, stdout: child.stdout, ended, close: () => endProcess(child, ended) };
}

function whenEnded(child: ChildProcessWithoutNullStreams): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => {
      resolve(signal === null ? `exited with code ${code ?? 0}` : `was ended by ${signal}`);
    });
  });
}

async function endProcess(
  child: ChildProcessWithoutNullStreams,
  ended: Promise<string>,
): Promise<void> {
  child.stdin.end();
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const isGone = await Promise.race([
      ended.then(() => true),
      delay(politeMs, false, { ref: false }),
    ]);
    if (isGone) return;
    if (child.pid !== undefined) signalGroup(child.pid, signal);
  }
  await ended;
}

/** Signals the whole group, so that what the command started itself ends too. */
function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // No such group any more, which is what was wanted.
  }
}

function logStderr(child: ChildProcessWithoutNullStreams, log: Log): void {
  const keys = new PrivateKeyPieces();
  const withoutKey = (line: string): string => {
    const key = keys.next(line);
    return key === undefined ? line : `${line.slice(0, key.start)}[masked]${line.slice(key.end)}`;
  };
  const read = createFrameReader(
    { maxBytes: maxStderrLineBytes },
    {
      onFrame: (bytes) =>
        log.debug({ line: withoutKey(bytes.toString("utf8")) }, "upstream stderr"),
      onOversize: (line) => log.debug({ bytes: line.bytes }, "upstream stderr line too long"),
    },
  );
  child.stderr.on("data", (chunk: Buffer) => read(chunk));
  child.stderr.on("error", (thrown) =>
    log.debug({ reason: messageOf(thrown) }, "upstream stderr lost"),
  );
}
