/**
 * Approvals as the configuration wants them: in Postgres where decisions go there, else in the state
 * folder. The embedded store of decisions never has any: it is an index that may be thrown away, and
 * nothing that grants anything is read from it.
 */
import type { GatewayConfig } from "../../config/config.ts";
import type { Clock, Log, NewId } from "../../contract/ambient.ts";
import type { DecisionLog } from "../../contract/record.ts";
import { openMigrated } from "../../database/open-migrated.ts";
import type { ApprovalStore } from "./approval-store.ts";
import { Approvals } from "./approvals.ts";
import type { ApprovalsOptions } from "./approvals.ts";
import { openFileApprovals } from "./file-approvals.ts";
import { openPostgresApprovals } from "./postgres-approvals.ts";
import { Webhooks } from "./webhooks.ts";

export interface OpenApprovalsOptions {
  readonly config: Pick<GatewayConfig, "tenant" | "approvals" | "decisions">;
  readonly stateDir: string;
  readonly decisionLog: Pick<DecisionLog, "note">;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** Delivers webhooks; `undefined`: nobody is told. */
  readonly fetch: typeof globalThis.fetch | undefined;
  /** Hides secrets of what webhooks are sent; without it they get no arguments. */
  readonly maskSent?: ApprovalsOptions["maskSent"];
  readonly scrub: ApprovalsOptions["scrub"];
  readonly keyed: ApprovalsOptions["keyed"];
  /** For which closing waits for webhooks that are under way; default 0. */
  readonly webhookGraceMs?: number;
}

const fileLookMs = 200;
const postgresLookMs = 500;

/** Opens nothing yet: a store is reached with the first use. */
export function openApprovals(options: OpenApprovalsOptions): Approvals {
  const { config, decisionLog, clock, newId, log, fetch } = options;
  const { webhooks } = config.approvals;
  const isPostgres = config.decisions.store.kind === "postgres";
  return new Approvals({
    config: config.approvals,
    store: openStore(options),
    lookEveryMs: isPostgres ? postgresLookMs : fileLookMs,
    decisionLog,
    clock,
    newId,
    log,
    webhooks: fetch && new Webhooks({ webhooks, fetch, clock, newId, log }),
    webhookGraceMs: options.webhookGraceMs ?? 0,
    maskSent: options.maskSent,
    scrub: options.scrub,
    keyed: options.keyed,
  });
}

function openStore({ config, stateDir, clock }: OpenApprovalsOptions): ApprovalStore {
  const { tenant, decisions } = config;
  const { store } = decisions;
  if (store.kind === "embedded") return openFileApprovals({ tenant, stateDir, clock });
  return openPostgresApprovals({ tenant, connect: () => openMigrated(store.url) });
}
