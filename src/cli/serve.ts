/**
 * `mcp-gateway serve`: loads the configuration, puts a real gateway together and serves clients:
 * one on stdin and stdout until its input ends, or many over Streamable HTTP until a signal. With
 * `--stdio` nothing but JSON-RPC goes to stdout.
 */
import type { Command } from "commander";
import type { Log } from "../contract/ambient.ts";
import { principalOf } from "../contract/principal.ts";
import { serveStdio, stdioSession } from "../mcp/downstream/serve-stdio.ts";
import { createWatchdog } from "../mcp/upstream/watchdog.ts";
import { loadConfigFor, withConfigOption } from "./common-options.ts";
import { exitCodes } from "./exit-code.ts";
import type { CliIo } from "./io.ts";
import { action, CliError } from "./io.ts";
import { openLog } from "./open-log.ts";
import { personNames } from "./person-of.ts";
import type { LockedConfig } from "./locked-config.ts";
import { requireLock, withLock } from "./locked-config.ts";
import { assembleGateway } from "./serve/assemble-gateway.ts";
import { createDeferred } from "./serve/create-deferred.ts";

interface ServeOptions {
  readonly stdio?: boolean;
  readonly http?: string;
  readonly config?: string;
  readonly dev?: boolean;
  readonly frozen?: boolean;
}

/** Adds the command. */
export function registerServeCommand(program: Command, io: CliIo): void {
  withConfigOption(program.command("serve"))
    .description("serve MCP clients, on stdin and stdout or over Streamable HTTP")
    .option("--stdio", "serve one client on stdin and stdout")
    .option("--http <host:port>", "serve clients over Streamable HTTP; port 0 takes a free one")
    .option("--dev", "allow bundles from source folders (file:)")
    .option("--frozen", "start only where the lock has an entry for every source of policy")
    .action(action(io, (options: ServeOptions) => serve(io, options)));
}

async function serve(io: CliIo, options: ServeOptions): Promise<void> {
  if ((options.stdio === true) === (options.http !== undefined)) {
    throw new CliError(exitCodes.usage, "expected either --stdio or --http HOST:PORT");
  }
  const { log, hide } = openLog(io, "info");
  const loaded = loadConfigFor(io, options.config);
  hide(loaded.config.secrets ?? []);
  const { config, locks, warnings } = await requireLock(loaded, options.frozen);
  for (const { message, line } of warnings) log.warn({ line }, message);
  const readLock = () => withLock(loaded, options.frozen);
  const common = { io, config, locks, readLock, dev: options.dev === true, log };
  if (options.http === undefined) return await serveOne(common);
  const { serveMany } = await import("./serve/serve-many.ts");
  await serveMany({ ...common, address: options.http });
}

export interface ServeSetting {
  readonly io: CliIo;
  readonly config: LockedConfig["config"];
  readonly locks: LockedConfig["locks"];
  /** Reads the lock again. */
  readonly readLock: () => Promise<LockedConfig>;
  readonly dev: boolean;
  readonly log: Log;
}

function endInput(): void {
  process.stdin.destroy();
}

async function serveOne({ io, config, locks, readLock, dev, log }: ServeSetting): Promise<void> {
  if (config.decisions.export?.to.kind === "stdout") {
    const message =
      'decisions.export.to: expected a URL or file:///PATH with serve --stdio, found "stdout", which is the client\'s; use another, or serve --http';
    throw new CliError(exitCodes.invalid, message);
  }
  const watchdog = createWatchdog(process.platform);
  const { promise: mayStart, resolve: start } = createDeferred();
  const gateway = await assembleGateway({
    io,
    config,
    locks,
    readLock,
    dev,
    watchdog,
    log,
    mayStart,
    onShutdown: endInput,
    onlySession: stdioSession,
  });
  // The first signal ends like the end of the input; a second one ends at once.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, endInput);
  const { tenant, agent, user } = config;
  const principal = principalOf({
    tenant,
    agent,
    user,
    servers: undefined,
    osUsers: personNames(io),
  });
  const { stdin: input, stdout: output } = process;
  await gateway.recalled;
  const served = serveStdio({ input, output, gateway, log, principal });
  // A client greets as soon as it has started us, and starting threads and children blocks for tens
  // of milliseconds: the event loop first gets one whole turn to read and answer.
  setImmediate(() => setImmediate(start));
  await served;
  await gateway.close();
  await watchdog.close();
}
