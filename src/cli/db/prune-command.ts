/**
 * `db prune`: what a gateway does once a day, now, with other ages where they are given.
 */
import { newId, systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { parseTime } from "../../decision/parse-time.ts";
import { cutoffsOf } from "../../decision/retention/keep-retention.ts";
import type { PruneOutcome } from "../../decision/retention/prune-record.ts";
import { pruneRecord } from "../../decision/retention/prune-record.ts";
import type { Cutoffs } from "../../decision/retention/prune-store.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import type { DatabaseOptions } from "../db.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { personOf } from "../person-of.ts";
import { printDocument } from "../print.ts";
import { talkingLog } from "../talking-log.ts";
import { withDecisionLog } from "../with-decision-log.ts";

export interface PruneOptions extends DatabaseOptions {
  readonly payloadOlderThan?: string;
  readonly headerOlderThan?: string;
  readonly withoutProof?: boolean;
  readonly dryRun?: boolean;
}

const dayMs = 24 * 60 * 60_000;

/** Recorded, then done; prints what went. */
export async function pruneCommand(io: CliIo, options: PruneOptions): Promise<void> {
  const { config } = loadConfigFor(io, options.config);
  const stateDir = stateDirOf(io);
  const cutoffs = readCutoffs(config, options);
  const isDryRun = options.dryRun === true;
  const isProven = options.withoutProof !== true;
  const by = personOf(io);
  if (!isDryRun) await record(io, { config, stateDir, cutoffs, isProven, by });
  const { store, checkpoints } = config.decisions;
  const place = { stateDir, store, checkpoints, clock: systemClock, log: talkingLog(io) };
  const outcome = await pruneRecord(place, { cutoffs, by, isDryRun, isProven });
  if (options.output !== "table") return printDocument(io, options.output, outcome);
  tell(io, outcome, isDryRun);
  if (outcome.store.busy.length > 0) io.exit(exitCodes.unexpected);
}

function readCutoffs(config: GatewayConfig, options: PruneOptions): Cutoffs {
  const nowMs = systemClock.nowMs();
  const configured = cutoffsOf(config.decisions.retention, nowMs);
  const read = (text: string | undefined, preset: number | undefined): number | undefined =>
    text === undefined ? preset : Math.floor(parseTime(text, nowMs) / dayMs) * dayMs;
  const cutoffs = {
    payloadBeforeMs: read(options.payloadOlderThan, configured.payloadBeforeMs),
    headerBeforeMs: read(options.headerOlderThan, configured.headerBeforeMs),
  };
  const { payloadBeforeMs, headerBeforeMs } = cutoffs;
  if (payloadBeforeMs !== undefined || headerBeforeMs !== undefined) return cutoffs;
  const message =
    "expected --payload-older-than or --header-older-than, or decisions.retention in the configuration, found none; everything is kept";
  throw new CliError(exitCodes.usage, message);
}

interface PruneRecord {
  readonly config: GatewayConfig;
  readonly stateDir: string;
  readonly cutoffs: Cutoffs;
  readonly isProven: boolean;
  readonly by: string;
}

async function record(
  io: CliIo,
  { config, stateDir, cutoffs, isProven, by }: PruneRecord,
): Promise<void> {
  const { payloadBeforeMs, headerBeforeMs } = cutoffs;
  const details = {
    payload_before: at(payloadBeforeMs),
    header_before: at(headerBeforeMs),
    proven: isProven,
  };
  const about = { tenant: config.tenant, by, action: "prune", subject: "decision record" };
  await withDecisionLog(io, { config, stateDir }, (log) => {
    const timeMs = systemClock.nowMs();
    const id = newId();
    return log.note({ kind: "admin", decisionId: id, timeMs, ...about, reason: null, details });
  });
}

function at(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function tell(io: CliIo, { store, spool }: PruneOutcome, isDryRun: boolean): void {
  const verb = isDryRun ? "would go" : "removed";
  const { payloads, headers, notes, held, busy } = store;
  io.out(`${payloads} payloads and ${headers} headers ${verb}, ${held} rows held`);
  if (notes > 0) io.out(`${notes} notes of operators, bundles and approvals ${verb}`);
  if (spool !== undefined) {
    const { segments, bytes, records, held: kept } = spool;
    io.out(`${segments} segments (${records} records, ${bytes} bytes) ${verb}, ${kept} held`);
  }
  if (busy.length > 0) io.err(`in use, left for the next time: ${busy.join(", ")}`);
}
