/**
 * A connection to a server that the gateway starts: a process, its pipes, a handshake. A process
 * that did not survive the handshake leaves nothing behind.
 */
import type { StdioTransport } from "../../config/config.ts";
import type { ConnectDeps, ConnectOptions, OpenedSession, Session } from "./connect-options.ts";
import { Connection } from "./connection.ts";
import type { GreetOptions } from "./greet.ts";
import { greet } from "./greet.ts";
import { startServerProcess } from "./server-process.ts";
import { createStdioCarrier } from "./stdio-carrier.ts";

const silenceMs = 2000;

/** Starts the server, a second time where the probe ended it; `signal` ends all patience. */
export async function connectStdio(
  transport: StdioTransport,
  options: ConnectOptions,
  deps: ConnectDeps,
  signal: AbortSignal,
): Promise<OpenedSession> {
  const known = deps.rememberEra?.known;
  const settings: GreetOptions = {
    protocol: options.protocol,
    known,
    capabilities: options.capabilities,
    timeoutMs: options.startTimeoutMs,
    signal,
    silenceMs: Math.min(known === "modern" ? Infinity : silenceMs, options.startTimeoutMs / 2),
    learned: (era) => deps.rememberEra?.learned(era),
  };
  const first = await attempt(transport, options, deps, settings);
  const { greeted } = first;
  const isDone = greeted.kind === "greeted" || !greeted.mayBeProbe || signal.aborted;
  if (isDone || options.protocol !== "auto") return first;
  deps.log.info({ reason: greeted.reason }, "upstream server started again without a probe");
  return await attempt(transport, options, deps, { ...settings, known: "legacy" });
}

async function attempt(
  transport: StdioTransport,
  options: ConnectOptions,
  deps: ConnectDeps,
  settings: GreetOptions,
): Promise<OpenedSession> {
  const session = openSession(transport, options, deps);
  const greeted = await greet(session.connection, settings);
  if (greeted.kind === "failed") await session.close();
  return { session, greeted };
}

function openSession(
  { command, args, cwd }: StdioTransport,
  options: ConnectOptions,
  deps: ConnectDeps,
): Session {
  const child = startServerProcess({ command, args, cwd, env: options.env }, deps);
  const pipes = { input: child.stdin, output: child.stdout, log: deps.log };
  const connection = new Connection({
    log: deps.log,
    listener: deps.events,
    carry: (sink) => createStdioCarrier(pipes, sink),
  });
  let isClosing = false;
  void child.ended.then((reason) => connection.lose(`the server ${reason}`));
  return {
    connection,
    watch: (onLost) => {
      void child.ended.then((reason) => {
        if (!isClosing) onLost(reason);
      });
    },
    close: () => {
      isClosing = true;
      return child.close();
    },
  };
}
