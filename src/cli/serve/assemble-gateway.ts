/**
 * A real gateway out of a loaded configuration: engine, decision log, bundles, connections. The only
 * place where all stages are made.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { SourceLock } from "../../bundle/lock/match-lock.ts";
import { newId, systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { ensurePrivateDir, resolveStatePaths } from "../../config/state-paths.ts";
import type { Log } from "../../contract/ambient.ts";
import type { DecisionLog } from "../../contract/record.ts";
import type { ObservedDecisionLog } from "../../decision/decision-log.ts";
import { createDecisionLog } from "../../decision/decision-log.ts";
import { keepRetention } from "../../decision/retention/keep-retention.ts";
import type { RecordMask } from "../../decision/masking/record-mask.ts";
import { BlockWatch } from "../../gateway/blocks/block-watch.ts";
import { openBlockSources } from "../../gateway/blocks/open-block-stores.ts";
import type { MovableGateway } from "../../gateway/create-gateway.ts";
import { createGateway } from "../../gateway/create-gateway.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { keepApprovals } from "../../gateway/keep-approvals.ts";
import { keyedDigest, sealKey } from "../../gateway/seal.ts";
import type { Watchdog } from "../../mcp/upstream/watchdog.ts";
import { createPolicyEngine } from "../../policy/engine/policy-engine.ts";
import type { CliIo } from "../io.ts";
import { openReasonScrubber, openRecordMask } from "../open-record-mask.ts";
import { checkPins } from "../validate/check-pins.ts";
import type { LockedConfig } from "../locked-config.ts";
import { createCanaryAborts } from "./canary-aborts.ts";
import { createConnect } from "./create-connect.ts";
import { serveAdmin } from "./serve-admin.ts";
import { followLock } from "./follow-lock.ts";
import type { PolicyKeepers } from "./policy-keepers.ts";
import { createPolicyKeepers } from "./policy-keepers.ts";
import { createPruneApart } from "./prune-apart.ts";
import { createSignals } from "./serve-signals.ts";

/** Blocks are asked for so often that a connection which does not answer is better made anew. */
const quick = { connectTimeoutMs: 2000, queryTimeoutMs: 2000 };

/** How long the bundles of another release may take before its program is met. */
const turnMs = 10_000;

export interface AssembleOptions {
  readonly io: CliIo;
  readonly config: GatewayConfig;
  /** What the lock says, by server id or layer name. */
  readonly locks: ReadonlyMap<string, SourceLock>;
  /** Reads the lock again. */
  readonly readLock: () => Promise<LockedConfig>;
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
  const mask = await openRecordMask(config, stateDir);
  const decisionLog = await openDecisionLog(options, stateDir, mask);
  void options.mayStart.then(() => tellBrokenPins(config, stateDir, log));
  const blocks = watchBlocks(options, stateDir, decisionLog);
  const approvals = keepApprovals({
    config,
    stateDir,
    decisionLog,
    clock: systemClock,
    newId,
    log,
    fetch: globalThis.fetch,
    maskSent: (sent, hints) => mask.maskSent(sent, hints),
    scrub: openReasonScrubber(config.secrets),
    keyed: keyedDigest(() => sealKey(config.stateKey, stateDir)),
  });
  const about = { registries: config.registries, env: io.env, configPath: config.path };
  const place = { stateDir, paths, dev, log, locks: options.locks };
  const front = onlySession === undefined ? "http" : "stdio";
  const instance = decisionLog.status().writer;
  const signals = await createSignals({ ...options, front, instance, fetch: globalThis.fetch });
  const onFailure = signals.onBundleFailure;
  const keepers = createPolicyKeepers({ ...about, ...place, onFailure });
  const engine = createPolicyEngine(config.policy);
  const gateway = createGateway({
    config,
    clock: systemClock,
    newId,
    random: Math.random,
    log,
    stateDir,
    engine,
    decisionLog: signals.watchLog(decisionLog),
    blocks,
    approvals,
    openKeeper: keepers.open,
    canaryAborts: createCanaryAborts({ stateDir, tenant: config.tenant, decisionLog }),
    connect: signals.watchConnect(
      createConnect({ env: io.env, stateDir, watchdog: options.watchdog }),
    ),
    mayStart: options.mayStart,
    onlySession,
  });
  const unfollow = keepToLock(gateway, keepers, options);
  const parts = { stateDir, front, gateway, engine, blocks, approvals, decisionLog } as const;
  const closeAdmin = serveAdmin({ ...options, ...parts, shadows: gateway.shadows, signals });
  const endRetention = pruneDaily(options, stateDir, decisionLog);
  const close = async (): Promise<void> => {
    unfollow();
    await endRetention();
    await closeAdmin();
    await gateway.close();
    await signals.close();
  };
  return signals.watchGateway({ ...gateway, close });
}

function watchBlocks(
  { config, mayStart, log }: AssembleOptions,
  stateDir: string,
  decisionLog: Pick<DecisionLog, "note">,
): BlockWatch {
  const { tenant, agents, secrets } = config;
  const { store } = config.decisions;
  const place = { stateDir, tenant, clock: systemClock, store, postgres: quick };
  const note: DecisionLog["note"] = (record) => decisionLog.note(record);
  const hands = { tenant, clock: systemClock, newId, note, scrub: openReasonScrubber(secrets) };
  return new BlockWatch({ ...hands, sources: openBlockSources(place), agents, mayStart, log });
}

function pruneDaily(
  { config, log, io }: AssembleOptions,
  stateDir: string,
  decisionLog: Pick<ObservedDecisionLog, "note" | "endSegment">,
): () => Promise<void> {
  const { store, checkpoints, retention } = config.decisions;
  const place = { stateDir, store, checkpoints, clock: systemClock, log };
  const note: DecisionLog["note"] = (record) => decisionLog.note(record);
  const pruneApart = createPruneApart({ configPath: config.path, env: io.env });
  const endSegment = (): void => decisionLog.endSegment();
  const hands = { newId, note, endSegment, pruneApart };
  return keepRetention({ ...place, retention, tenant: config.tenant, ...hands });
}

/** What is decided is recorded here, or the gateway ends as the configuration wants it. */
async function openDecisionLog(
  { config, log, onShutdown }: AssembleOptions,
  stateDir: string,
  mask: RecordMask,
): Promise<ObservedDecisionLog> {
  return await createDecisionLog({
    stateDir,
    store: config.decisions.store,
    durability: config.decisions.durability,
    onFailure: config.decisions.onFailure,
    limits: { spoolMaxBytes: config.decisions.spoolMaxBytes },
    checkpoints: config.decisions.checkpoints,
    export: config.decisions.export,
    openExporter: await exporterOf(config),
    mask,
    onShutdown: ({ message: reason }) => {
      log.error({ reason }, "a decision could not be recorded, shutting down");
      onShutdown();
    },
    clock: systemClock,
    newId,
    log,
  });
}

/** Nothing of an export is loaded where none is configured. */
async function exporterOf({ decisions }: GatewayConfig) {
  if (decisions.export === undefined) return undefined;
  const { createExporter } = await import("./create-exporter.ts");
  return createExporter(decisions.export);
}

/** Moves servers and bundles to where the lock has them; returns how to stop. */
function keepToLock(
  gateway: MovableGateway,
  keepers: PolicyKeepers,
  { config, locks: first, readLock: read, log }: AssembleOptions,
): () => void {
  return followLock({
    first: { config, locks: first },
    read,
    apply: async ({ servers, locks }) =>
      await gateway.move({ servers, turnPolicies: () => inTime(keepers.relock(locks)) }),
    log,
  });
}

/** A source that takes its time keeps no server from coming back; its calls are denied meanwhile. */
async function inTime(turned: Promise<void>): Promise<void> {
  await Promise.race([turned, delay(turnMs, undefined, { ref: false })]);
}

/** Whoever starts a gateway hears of it now, and not with the first list that lacks tools. */
async function tellBrokenPins(config: GatewayConfig, stateDir: string, log: Log): Promise<void> {
  for (const { server, reason } of await checkPins(config, stateDir)) {
    log.error({ server, reason }, "pins of a server cannot be read; its tools are denied");
  }
}
