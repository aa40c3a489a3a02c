/**
 * `mcp-gateway serve --stdio`: loads the configuration, puts a real gateway together and serves one
 * client until its input ends. Nothing but JSON-RPC goes to stdout.
 */
import type { Command } from "commander";
import { newId, systemClock } from "../config/ambient.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import { ensurePrivateDir, resolveStatePaths } from "../config/state-paths.ts";
import type { Log } from "../contract/ambient.ts";
import { createDecisionLog } from "../decision/decision-log.ts";
import { createGateway } from "../gateway/create-gateway.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { LoadBundle } from "../gateway/load-policies.ts";
import type { Connect } from "../gateway/server-fleet.ts";
import { serveStdio } from "../mcp/downstream/serve-stdio.ts";
import { childEnvironment } from "../mcp/upstream/child-environment.ts";
import { connectUpstream } from "../mcp/upstream/connect-upstream.ts";
import type { Watchdog } from "../mcp/upstream/watchdog.ts";
import { createWatchdog } from "../mcp/upstream/watchdog.ts";
import { createPolicyEngine } from "../policy/engine/policy-engine.ts";
import { createLog, parseLogLevel } from "../telemetry/log.ts";
import type { BundleSetting } from "./bundle/gateway-bundles.ts";
import { loadConfigFor, withConfigOption } from "./common-options.ts";
import type { CliIo } from "./io.ts";
import { exitCodes } from "./exit-code.ts";
import { action, CliError } from "./io.ts";

interface ServeOptions {
  readonly stdio?: boolean;
  readonly config?: string;
  readonly dev?: boolean;
}

/** Adds the command. */
export function registerServeCommand(program: Command, io: CliIo): void {
  withConfigOption(program.command("serve"))
    .description("serve MCP clients; --stdio speaks on stdin and stdout")
    .option("--stdio", "serve one client on stdin and stdout")
    .option("--dev", "allow bundles from source folders (file:)")
    .action(action(io, (options: ServeOptions) => serve(io, options)));
}

async function serve(io: CliIo, options: ServeOptions): Promise<void> {
  if (options.stdio !== true) {
    throw new CliError(exitCodes.usage, "expected --stdio; other ways to serve are not there yet");
  }
  const log = createLog({ level: parseLogLevel(io.env["MCP_GATEWAY_LOG"]) ?? "info" });
  const loaded = loadConfigFor(io, options.config);
  for (const { message, line } of loaded.warnings) log.warn({ line }, message);
  const watchdog = createWatchdog(process.platform);
  const gateway = await assemble(io, loaded, options.dev === true, watchdog, log);
  endInputOnSignals();
  await serveStdio({ input: process.stdin, output: process.stdout, gateway, log });
  await gateway.close();
  await watchdog.close();
}

/** The first SIGTERM, SIGINT or SIGHUP ends like the end of the input; a second one ends at once. */
function endInputOnSignals(): void {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(signal, () => void process.stdin.destroy());
  }
}

async function assemble(
  io: CliIo,
  { config }: LoadedConfig,
  dev: boolean,
  watchdog: Watchdog,
  log: Log,
): Promise<Gateway> {
  const paths = resolveStatePaths(io.env, io.cwd);
  const stateDir = ensurePrivateDir(paths.stateDir);
  const decisionLog = await createDecisionLog({
    stateDir,
    store: config.decisions.store,
    durability: config.decisions.durability,
    onFailure: config.decisions.onFailure,
    limits: { spoolMaxBytes: config.decisions.spoolMaxBytes },
    onShutdown: ({ message: reason }) => {
      log.error({ reason }, "a decision could not be recorded, shutting down");
      process.stdin.destroy();
    },
    clock: systemClock,
    newId,
    log,
  });
  return createGateway({
    config,
    clock: systemClock,
    newId,
    log,
    stateDir,
    engine: createPolicyEngine(config.policy),
    decisionLog,
    loadBundle: bundleLoader({ registries: config.registries, paths, dev, log }),
    connect: connectWith(io, watchdog),
    mayStart: afterFirstInput(),
  });
}

/** The bundle stage is loaded with the first bundle, after the greeting was answered. */
function bundleLoader(setting: BundleSetting): LoadBundle {
  let opened: Promise<LoadBundle> | undefined;
  return async (...wanted) => {
    const load = await (opened ??= openBundleStage(setting));
    return await load(...wanted);
  };
}

async function openBundleStage(setting: BundleSetting): Promise<LoadBundle> {
  const { loadBundle } = await import("../bundle/load-bundle.ts");
  const { bundleDependencies } = await import("./bundle/gateway-bundles.ts");
  const dependencies = bundleDependencies(setting);
  return (...wanted) => loadBundle(...wanted, dependencies);
}

/**
 * A client greets as soon as it has started us, and starting threads and children blocks for tens
 * of milliseconds: the event loop first gets one whole turn to read and answer.
 */
function afterFirstInput(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

function connectWith(io: CliIo, watchdog: Watchdog): Connect {
  return (server, events) =>
    connectUpstream(
      {
        id: server.id,
        command: {
          command: server.command,
          args: server.args,
          env: childEnvironment(io.env, server.env),
          cwd: server.cwd,
        },
        startTimeoutMs: server.startTimeoutMs,
        callTimeoutMs: server.callTimeoutMs,
      },
      { ...events, watchdog },
    );
}
