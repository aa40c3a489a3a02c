/**
 * Prunes once a day while a gateway runs, as `decisions.retention` says. Of several gateways on one
 * Postgres, or one state folder, one does it. What fails is told and tried again an hour later:
 * nobody's call waits for it. Where the clock is in doubt nothing is removed.
 */
import type { DecisionsConfig } from "../../config/config.ts";
import type { NewId } from "../../contract/ambient.ts";
import type { DecisionLog } from "../../contract/record.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { spoolFolder } from "../spool/writer-folder.ts";
import { watchClock } from "./clock-doubt.ts";
import { leavePayloadTurn, takePayloadTurn } from "./payload-turn.ts";
import type { PruneOutcome, PrunePlace } from "./prune-record.ts";
import { pruneInTurn } from "./prune-record.ts";
import { hasOlderSegments } from "./prune-spool.ts";
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
  /** Ends the segment that this gateway writes to: what is in it could not be pruned. */
  readonly endSegment: () => void;
  /**
   * Prunes everything of an embedded store in a process of its own, since the index has to be opened for
   * payloads; asked where some are past their retention.
   */
  readonly pruneApart?: PruneApart;
  /** When it looks first; a minute after the start. */
  readonly firstMs?: number;
}

export type PruneApart = (signal: AbortSignal) => Promise<void>;

/** Where nothing is configured nothing runs. Returns how to stop; what is under way ends before. */
export function keepRetention(options: RetentionOptions): () => Promise<void> {
  const { retention, clock } = options;
  if (retention.payloadDays === undefined && retention.headerDays === undefined) {
    return async () => {};
  }
  const ending = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let doneAtMs = Number.NEGATIVE_INFINITY;
  const doubt = { setMs: watchClock(clock), tell: onceOf(options) };
  const look = (): void => {
    running = running.then(async () => {
      // Half an hour less, since a look is never at the full hour.
      if (clock.monotonicMs() - doneAtMs < dayMs - everyMs / 2) return;
      if (ending.signal.aborted) return;
      options.endSegment();
      if (await prune(options, doubt, ending.signal)) doneAtMs = clock.monotonicMs();
    });
  };
  const first = setTimeout(look, options.firstMs ?? firstMs).unref();
  const timer = setInterval(look, everyMs).unref();
  return async () => {
    clearTimeout(first);
    clearInterval(timer);
    ending.abort();
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

/** What is thought of the clock. */
interface Doubt {
  /** How far it was set, where that is too far. */
  readonly setMs: () => number | undefined;
  readonly tell: (data: object, message: string) => void;
}

/** The first one of several warnings. */
function onceOf({ log }: RetentionOptions): Doubt["tell"] {
  let isTold = false;
  return (data, message) => {
    if (!isTold) log.warn(data, message);
    isTold = true;
  };
}

async function prune(
  options: RetentionOptions,
  doubt: Doubt,
  signal: AbortSignal,
): Promise<boolean> {
  const { retention, clock, log } = options;
  const nowMs = clock.nowMs();
  const cutoffs = cutoffsOf(retention, nowMs);
  const setMs = doubt.setMs();
  if (setMs !== undefined) {
    doubt.tell({ setMs }, "decision record not pruned, since the clock was set by more than a day");
    return false;
  }
  try {
    const turn = await pruneInTurn(options, { nowMs, cutoffs, by: "gateway", isProven: true });
    if (turn.kind === "in_doubt") {
      doubt.tell(
        { aheadMs: turn.aheadMs },
        "decision record not pruned, since the clocks here and of the database are more than a day apart",
      );
      return false;
    }
    if (turn.kind === "pruned") await tell(options, turn.outcome);
    if (options.store.kind === "embedded") await prunePayloads(options, cutoffs, signal);
    return true;
  } catch (thrown) {
    if (signal.aborted) return false;
    const found = { code: codeOf(thrown), reason: messageOf(thrown) };
    log.warn(found, "decision record not pruned, tried again in an hour");
    return false;
  }
}

/** Of several gateways on one state folder one does it; who ends in the middle leaves it to the next. */
async function prunePayloads(
  { stateDir, clock, pruneApart }: RetentionOptions,
  { payloadBeforeMs }: Cutoffs,
  signal: AbortSignal,
): Promise<void> {
  if (pruneApart === undefined || payloadBeforeMs === undefined) return;
  if (!(await hasOlderSegments(spoolFolder(stateDir, "embedded"), payloadBeforeMs))) return;
  if (!(await takePayloadTurn(stateDir, clock))) return;
  try {
    await pruneApart(signal);
  } catch (thrown) {
    await leavePayloadTurn(stateDir);
    throw thrown;
  }
}

async function tell(options: RetentionOptions, { store, spool }: PruneOutcome): Promise<void> {
  const { tenant, clock, newId, note, log } = options;
  const { payloads, headers, notes, held } = store;
  const details = { payloads, headers, notes, held, segments: spool?.segments ?? 0 };
  if (payloads + headers + notes + details.segments === 0) return;
  log.info(details, "decision record pruned");
  const about = { tenant, by: "gateway", action: "prune", subject: "decision record" };
  const timeMs = clock.nowMs();
  await note({ kind: "admin", decisionId: newId(), timeMs, ...about, reason: null, details });
}
