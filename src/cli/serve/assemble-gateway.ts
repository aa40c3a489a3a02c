/**
 * A real gateway out of a loaded configuration: engine, decision log, bundles, connections. The only
 * place where all stages are made.
 */
import { newId, systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { ensurePrivateDir, resolveStatePaths } from "../../config/state-paths.ts";
import type { Log } from "../../contract/ambient.ts";
import { createDecisionLog } from "../../decision/decision-log.ts";
import { createGateway } from "../../gateway/create-gateway.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { LoadBundle } from "../../gateway/load-policies.ts";
import type { Watchdog } from "../../mcp/upstream/watchdog.ts";
import { createPolicyEngine } from "../../policy/engine/policy-engine.ts";
import type { BundleSetting } from "../bundle/gateway-bundles.ts";
import type { CliIo } from "../io.ts";
import { createConnect } from "./create-connect.ts";

export interface AssembleOptions {
  readonly io: CliIo;
  readonly config: GatewayConfig;
  /** Allows bundles from source folders. */
  readonly dev: boolean;
  readonly watchdog: Watchdog;
  readonly log: Log;
  /** Called where a decision could not be recorded and the configuration wants an end then. */
  readonly onShutdown: () => void;
  /** Resolves when servers and policies may start. */
  readonly mayStart: Promise<void>;
  /** Key of the one session of a front that has only one. */
  readonly onlySession: string | undefined;
}

/** Puts a gateway together. */
export async function assembleGateway(options: AssembleOptions): Promise<Gateway> {
  const { io, config, dev, log, onlySession } = options;
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
      options.onShutdown();
    },
    clock: systemClock,
    newId,
    log,
  });
  return createGateway({
    config,
    clock: systemClock,
    newId,
    random: Math.random,
    log,
    stateDir,
    engine: createPolicyEngine(config.policy),
    decisionLog,
    loadBundle: bundleLoader({ registries: config.registries, paths, dev, log }),
    connect: createConnect({ env: io.env, stateDir, watchdog: options.watchdog }),
    mayStart: options.mayStart,
    onlySession,
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
  const { loadBundle } = await import("../../bundle/load-bundle.ts");
  const { bundleDependencies } = await import("../bundle/gateway-bundles.ts");
  const dependencies = bundleDependencies(setting);
  return (...wanted) => loadBundle(...wanted, dependencies);
}
