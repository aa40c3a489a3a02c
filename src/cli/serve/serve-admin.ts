/**
 * The admin interface of a running gateway: which routes it has, and what they are told. Loaded after
 * clients were greeted; a gateway whose interface cannot be opened serves without it.
 */
import { newId, systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { postureAt } from "../../config/posture-at.ts";
import type { Log } from "../../contract/ambient.ts";
import { gatewayVersion } from "../../contract/version.ts";
import type { ObservedDecisionLog } from "../../decision/decision-log.ts";
import type { ExporterStatus } from "../../decision/export/exporter.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { AdminInterface } from "../../admin/open-admin.ts";
import type { AdminRoute } from "../../admin/admin-route.ts";
import type { Blocks } from "../../gateway/blocks/blocks.ts";
import type { BudgetDesk } from "../../gateway/budget-desk.ts";
import type { MovableGateway } from "../../gateway/create-gateway.ts";
import type { KeptApprovals } from "../../gateway/keep-approvals.ts";
import type { PolicyEngine } from "../../policy/engine/policy-engine.ts";
import type { CliIo } from "../io.ts";
import { personNames, userOfProcess } from "../person-of.ts";
import type { Signals } from "./serve-signals.ts";

export interface AdminSetting {
  readonly io: Pick<CliIo, "env">;
  readonly config: GatewayConfig;
  readonly stateDir: string;
  readonly front: "stdio" | "http";
  readonly gateway: Pick<MovableGateway, "ready" | "policyStanding" | "upstreams">;
  readonly engine: Pick<PolicyEngine, "restarts">;
  /** Metrics and traces, which begin with the interface. */
  readonly signals: Pick<Signals, "start">;
  /** How its shadows do. */
  readonly shadows: () => readonly object[];
  readonly blocks: Blocks;
  readonly approvals: KeptApprovals;
  readonly decisionLog: Pick<ObservedDecisionLog, "status" | "note">;
  readonly log: Log;
  /** Resolves when there is time for it. */
  readonly mayStart: Promise<void>;
}

/** Opens it in the background; returns how to close it. */
export function serveAdmin(setting: AdminSetting): () => Promise<void> {
  const opened = setting.mayStart
    .then(() => open(setting))
    .catch((thrown: unknown) => {
      const found = { code: codeOf(thrown), reason: messageOf(thrown) };
      setting.log.error(found, "admin interface not opened");
      return undefined;
    });
  return async () => await (await opened)?.close();
}

async function open(setting: AdminSetting): Promise<AdminInterface> {
  const { openAdmin } = await import("../../admin/open-admin.ts");
  const { FailedLogins } = await import("../../admin/failed-logins.ts");
  const { config, stateDir, log, decisionLog } = setting;
  const { tenant } = config;
  const note = decisionLog.note.bind(decisionLog);
  const hands = { clock: systemClock, log };
  return await openAdmin({
    config: config.admin,
    stateDir,
    name: `${process.pid}-${setting.decisionLog.status().writer.slice(-8)}`,
    owner: userOfProcess(),
    routes: await routesOf(setting),
    ...hands,
    failedLogins: new FailedLogins({ ...hands, note, tenant, newId }),
  });
}

async function routesOf(setting: AdminSetting): Promise<readonly AdminRoute[]> {
  const { healthRoutes } = await import("../../admin/routes/health-routes.ts");
  const { statusRoutes } = await import("../../admin/routes/status-routes.ts");
  const { blockRoutes } = await import("../../admin/routes/block-routes.ts");
  const { approvalRoutes } = await import("../../admin/routes/approval-routes.ts");
  const { openApprovalDesk } = await import("../../gateway/approval-desk.ts");
  const { budgetRoutes } = await import("../../admin/routes/budget-routes.ts");
  const { describeSources } = await import("./describe-sources.ts");
  const { stateSources } = await import("./state-sources.ts");
  const { config, stateDir, blocks } = setting;
  const state = { isReady: false };
  void setting.gateway.ready.then(() => {
    state.isReady = true;
  });
  const startedMs = systemClock.nowMs();
  const servers = (): readonly string[] => [...config.servers.keys()];
  return [
    ...healthRoutes(() => state.isReady && setting.gateway.policyStanding() !== "unable"),
    ...statusRoutes({
      status: async () => statusOf(setting, state.isReady, startedMs),
      bundles: async () => await describeSources(config, stateDir),
    }),
    ...blockRoutes({ blocks, servers }),
    ...approvalRoutes(
      openApprovalDesk(setting.approvals, config.approvals, personNames(setting.io)),
    ),
    ...budgetRoutes(await budgetDesk(setting)),
    ...(await setting.signals.start(stateSources(setting))),
  ];
}

async function budgetDesk({ config, stateDir, decisionLog }: AdminSetting): Promise<BudgetDesk> {
  const { openBudgetDesk } = await import("../../gateway/budget-desk.ts");
  const { openUsageStore, usageStoreOptions } =
    await import("../../policy/usage/open-usage-store.ts");
  return openBudgetDesk({
    open: () => openUsageStore(usageStoreOptions({ config, stateDir, clock: systemClock })),
    tenant: config.tenant,
    clock: systemClock,
    newId,
    note: (record) => decisionLog.note(record),
  });
}

function statusOf(setting: AdminSetting, isReady: boolean, startedMs: number): object {
  const { config, front, gateway, blocks, decisionLog } = setting;
  const { writer, committedRecords, lostRecords, unshippedBytes, failure, shipper, exporter } =
    decisionLog.status();
  return {
    version: gatewayVersion,
    pid: process.pid,
    front,
    config: config.path,
    tenant: config.tenant,
    posture: postureAt(config, systemClock.nowMs()),
    started_at: new Date(startedMs).toISOString(),
    uptime_seconds: Math.floor((systemClock.nowMs() - startedMs) / 1000),
    state: isReady ? gateway.policyStanding() : "starting",
    spool: {
      store: config.decisions.store.kind,
      writer,
      committed_records: committedRecords,
      lost_records: lostRecords,
      unshipped_bytes: unshippedBytes,
      failure: failure ?? null,
      shipper: shipper?.state ?? null,
      dead_letters: shipper?.deadLetters ?? 0,
    },
    export: exporter === undefined ? null : exportOf(exporter),
    blocks: { count: blocks.list().length, away: blocks.away() },
    shadows: setting.shadows(),
  };
}

function exportOf(standing: ExporterStatus): object {
  const { target, state, lagMs, pendingBytes, exported, dropped, failures } = standing;
  return {
    target,
    state,
    lag_seconds: Math.round(lagMs / 1000),
    pending_bytes: pendingBytes,
    exported,
    dropped,
    failures,
  };
}
