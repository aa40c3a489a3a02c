/**
 * Prunes once a day while a gateway runs, as `decisions.retention` says. Of several gateways on one
 * Postgres one does it. What fails is told and tried again an hour later: nobody's call waits for it.
 */
import type { DecisionsConfig } from "../../config/config.ts";
import type { NewId } from "../../contract/ambient.ts";
import type { DecisionLog } from "../../contract/record.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { PruneOutcome, PrunePlace } from "./prune-record.ts";
import { pruneInTurn } from "./prune-record.ts";
import { beforeDays } from "./prune-store.ts";
import type { Cutoffs } from "./prune-store.ts";

const firstMs = 60_000;
const everyMs = 60 * 60_000;
const dayMs = 24 * everyMs;

export interface RetentionOptions extends PrunePlace {
  readonly retention: DecisionsConfig["retention"];
  readonly tenant: string;
  readonly newId: NewId;
  readonly note: DecisionLog["note"];
  /** When it looks first; a minute after the start. */
  readonly firstMs?: number;
}

/** Where nothing is configured nothing runs. Returns how to stop; what is under way ends before. */
export function keepRetention(options: RetentionOptions): () => Promise<void> {
  const { retention, clock } = options;
  if (retention.payloadDays === undefined && retention.headerDays === undefined) {
    return async () => {};
  }
  let running: Promise<void> = Promise.resolve();
  let doneAtMs = Number.NEGATIVE_INFINITY;
  const look = (): void => {
    running = running.then(async () => {
      if (clock.monotonicMs() - doneAtMs < dayMs) return;
      if (await prune(options)) doneAtMs = clock.monotonicMs();
    });
  };
  const first = setTimeout(look, options.firstMs ?? firstMs).unref();
  const timer = setInterval(look, everyMs).unref();
  return async () => {
    clearTimeout(first);
    clearInterval(timer);
    await running;
  };
}

/** What is older than the configured days, in whole days. */
export function cutoffsOf(retention: DecisionsConfig["retention"], nowMs: number): Cutoffs {
  const { payloadDays, headerDays } = retention;
  return {
    payloadBeforeMs: payloadDays === undefined ? undefined : beforeDays(payloadDays, nowMs),
    headerBeforeMs: headerDays === undefined ? undefined : beforeDays(headerDays, nowMs),
  };
}

async function prune(options: RetentionOptions): Promise<boolean> {
  const { retention, clock, log } = options;
  const cutoffs = cutoffsOf(retention, clock.nowMs());
  try {
    const outcome = await pruneInTurn(options, { cutoffs, by: "gateway", isProven: true });
    if (outcome !== undefined) await tell(options, outcome);
    return true;
  } catch (thrown) {
    const found = { code: codeOf(thrown), reason: messageOf(thrown) };
    log.warn(found, "decision record not pruned, tried again in an hour");
    return false;
  }
}

async function tell(options: RetentionOptions, { store, spool }: PruneOutcome): Promise<void> {
  const { tenant, clock, newId, note, log } = options;
  const { payloads, headers, held } = store;
  const details = { payloads, headers, held, segments: spool?.segments ?? 0 };
  if (payloads + headers + details.segments === 0) return;
  log.info(details, "decision record pruned");
  const about = { tenant, by: "gateway", action: "prune", subject: "decision record" };
  const timeMs = clock.nowMs();
  await note({ kind: "admin", decisionId: newId(), timeMs, ...about, reason: null, details });
}
