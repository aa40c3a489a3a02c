/**
 * Where metrics find how a running gateway is.
 */
import { systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { servedPolicies } from "../../config/policy-places.ts";
import type { ObservedDecisionLog } from "../../decision/decision-log.ts";
import type { Blocks } from "../../gateway/blocks/blocks.ts";
import type { MovableGateway } from "../../gateway/create-gateway.ts";
import type { KeptApprovals } from "../../gateway/keep-approvals.ts";
import type {
  BundleStanding,
  SpoolStanding,
  StateSources,
} from "../../gateway/signals/state-metrics.ts";
import type { PolicyEngine } from "../../policy/engine/policy-engine.ts";

export interface StateSetting {
  readonly config: GatewayConfig;
  readonly stateDir: string;
  readonly gateway: Pick<MovableGateway, "upstreams">;
  readonly engine: Pick<PolicyEngine, "restarts">;
  readonly blocks: Pick<Blocks, "list">;
  readonly approvals: Pick<KeptApprovals, "open">;
  readonly decisionLog: Pick<ObservedDecisionLog, "status">;
}

/** The sources of one gateway. */
export function stateSources(setting: StateSetting): StateSources {
  const { config, stateDir, gateway, engine, blocks, approvals, decisionLog } = setting;
  return {
    spool: () => spoolOf(decisionLog),
    export: () => decisionLog.status().exporter ?? noExport,
    bundles: async () => await bundlesOf(config, stateDir),
    upstreams: () => gateway.upstreams(),
    approvals: async () => await waitingIn(approvals),
    blocks: () => blocks.list().length,
    workerRestarts: () => engine.restarts?.() ?? 0,
    nowMs: systemClock.nowMs,
  };
}

const noExport = { lagMs: 0, pendingBytes: 0, exported: 0, dropped: 0, failures: 0 };

function spoolOf(decisionLog: StateSetting["decisionLog"]): SpoolStanding {
  const { failure, shipper, ...standing } = decisionLog.status();
  return {
    ...standing,
    deadLetters: shipper?.deadLetters ?? 0,
    isFailing: failure !== undefined || shipper?.state === "away",
  };
}

async function bundlesOf(
  config: GatewayConfig,
  stateDir: string,
): Promise<readonly BundleStanding[]> {
  const { readStanding } = await import("../bundle/read-standing.ts");
  const nowMs = systemClock.nowMs();
  const place = { stateDir, clock: systemClock };
  return await Promise.all(
    servedPolicies(config).map(async ({ name, policy }) => {
      const standing = await readStanding(place, { name, policy }, nowMs);
      const { last_successful_activation: activated, last_successful_request: heard } = standing;
      return {
        source: name,
        activatedMs: timeOf(activated),
        heardMs: timeOf(heard),
        isFailing: standing.errors.length > 0,
      };
    }),
  );
}

function timeOf(text: string | null): number | undefined {
  return text === null ? undefined : Date.parse(text);
}

async function waitingIn(approvals: StateSetting["approvals"]) {
  const all = await (await approvals.open()).list();
  const waiting = all.filter(({ status }) => status === "pending");
  const times = waiting.map(({ requested_at: at }) => Date.parse(at));
  return { waiting: waiting.length, oldestMs: times.length > 0 ? Math.min(...times) : undefined };
}
