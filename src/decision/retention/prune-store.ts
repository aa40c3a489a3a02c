/**
 * Removes from a store what its retention no longer covers: payloads first, headers later, day by day,
 * each day in a transaction of its own. A partition in which nothing is held goes as a whole. What is
 * removed of the chains is stated before, so that a crash in between leaves a statement too many and
 * never a gap without one.
 */
import * as z from "zod/mini";
import type { Log } from "../../contract/ambient.ts";
import type { Database, Queryable, Row } from "../../database/database.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { PrunedRange, Prove } from "../integrity/pruned-range.ts";
import { dayMs } from "../store/partitions.ts";
import { lowestUuid } from "../store/uuid-time.ts";
import type { Hold } from "./hold.ts";
import { holdsParameter } from "./hold.ts";
import type { DayTable } from "./prune-statements.ts";
import {
  countGone,
  countNotes,
  deleteGone,
  deleteNotes,
  dropPartition,
  insertRun,
  limitLockWait,
  lockPartition,
  lockRetention,
  partitionOf,
  selectPartitions,
  selectRanges,
} from "./prune-statements.ts";

/** Milliseconds since the epoch, at the beginning of a day in UTC; `undefined` keeps everything. */
export interface Cutoffs {
  readonly payloadBeforeMs: number | undefined;
  readonly headerBeforeMs: number | undefined;
}

export interface PruneOptions {
  readonly cutoffs: Cutoffs;
  /** What is held; asked in each transaction, behind the lock. */
  readonly holds: (inside: Queryable) => Promise<readonly Hold[]>;
  /** States what goes; left out where nobody follows chains in this store. */
  readonly prove: Prove | undefined;
  /** Who, for the store's own list. */
  readonly by: string;
  readonly isDryRun: boolean;
  readonly log: Log;
}

export interface PruneResult {
  /** Rows of payloads and of headers; differences of shadows count as headers. */
  readonly payloads: number;
  readonly headers: number;
  /** What operators and bundles did, and what became of approvals; as old as headers. */
  readonly notes: number;
  /** Rows that stayed because somebody holds them. */
  readonly held: number;
  /** Days that were in use and are left for the next time. */
  readonly busy: readonly string[];
}

/** Whole days in UTC that are older than so many. */
export function beforeDays(days: number, nowMs: number): number {
  return Math.floor(nowMs / dayMs - days) * dayMs;
}

/** Removes it, or says what would go. */
export async function pruneStore(database: Database, options: PruneOptions): Promise<PruneResult> {
  const sum = { payloads: 0, headers: 0, notes: 0, held: 0 };
  const busy: string[] = [];
  const attempt = async (part: string, work: Prune): Promise<void> => {
    try {
      const pruned = await database.transaction(work);
      sum.payloads += pruned.payloads ?? 0;
      sum.headers += pruned.headers ?? 0;
      sum.notes += pruned.notes ?? 0;
      sum.held += pruned.held;
    } catch (thrown) {
      if (!isBusy(codeOf(thrown))) throw thrown;
      options.log.warn({ part, reason: messageOf(thrown) }, "part of the record not pruned");
      busy.push(part);
    }
  };
  for (const unit of unitsBefore(await partitionsOf(database), options.cutoffs)) {
    await attempt(unit.ending, (inside) => pruneUnit(inside, unit, options));
  }
  const { headerBeforeMs } = options.cutoffs;
  if (headerBeforeMs !== undefined) {
    await attempt("notes", (inside) => pruneNotes(inside, headerBeforeMs, options));
  }
  if (!options.isDryRun) await noteRun(database, options, sum);
  return { ...sum, busy };
}

type Prune = (
  inside: Queryable,
) => Promise<{ readonly held: number } & Partial<Omit<PruneResult, "busy">>>;

/** `lock_not_available`, `deadlock_detected`, and `undefined_table`: somebody else has pruned it. */
function isBusy(code: string | undefined): boolean {
  return code === "55P03" || code === "40P01" || code === "42P01";
}

type Partitions = ReadonlyMap<string, ReadonlySet<DayTable>>;

const partitionSchema = z.object({
  parent: z.enum(["decision", "decision_payload", "shadow_difference"]),
  name: z.string(),
});

/** Tables by ending. */
async function partitionsOf(database: Queryable): Promise<Partitions> {
  const found = new Map<string, Set<DayTable>>();
  for (const row of await database.query(selectPartitions)) {
    const { parent, name } = partitionSchema.parse(row);
    const ending = name.slice(parent.length + 1);
    if (!/^(?:\d{8}|default)$/.test(ending)) continue;
    found.set(ending, (found.get(ending) ?? new Set()).add(parent));
  }
  return found;
}

/** One partition of each table, and what of it goes. */
interface Unit {
  readonly ending: string;
  readonly tables: ReadonlySet<DayTable>;
  /** Ids from `low`, before these; `undefined` keeps. */
  readonly low: string;
  readonly payloadHigh: string | undefined;
  readonly headerHigh: string | undefined;
}

function unitsBefore(partitions: Partitions, cutoffs: Cutoffs): readonly Unit[] {
  const { payloadBeforeMs = 0, headerBeforeMs = 0 } = cutoffs;
  return [...partitions]
    .toSorted(([left], [right]) => left.localeCompare(right))
    .map(([ending, tables]) => {
      const startMs = ending === "default" ? 0 : startOfDay(ending);
      const endMs = ending === "default" ? Number.POSITIVE_INFINITY : startMs + dayMs;
      const high = (beforeMs: number): string | undefined =>
        beforeMs > startMs ? lowestUuid(Math.min(endMs, beforeMs)) : undefined;
      // What has no header has no payload either.
      const payloadHigh = high(Math.max(payloadBeforeMs, headerBeforeMs));
      return {
        ending,
        tables,
        low: lowestUuid(startMs),
        payloadHigh,
        headerHigh: high(headerBeforeMs),
      };
    })
    .filter(({ payloadHigh }) => payloadHigh !== undefined);
}

function startOfDay(ending: string): number {
  return Date.parse(`${ending.slice(0, 4)}-${ending.slice(4, 6)}-${ending.slice(6)}T00:00:00Z`);
}

async function pruneUnit(inside: Queryable, unit: Unit, options: PruneOptions): ReturnType<Prune> {
  await inside.query(lockRetention);
  await inside.query(limitLockWait);
  const holds = holdsParameter(await options.holds(inside));
  const { low, payloadHigh, headerHigh } = unit;
  const gone: Going = { inside, unit, isDryRun: options.isDryRun };
  const payload = await goingOf(gone, "decision_payload", [low, payloadHigh, holds]);
  const header = await goingOf(gone, "decision", [low, headerHigh, holds]);
  const shadow = await goingOf(gone, "shadow_difference", [low, headerHigh, holds]);
  if (!options.isDryRun) {
    if (options.prove !== undefined && headerHigh !== undefined) {
      const ranges = await rangesOf(gone, [low, headerHigh, holds]);
      if (ranges.size > 0) await options.prove(ranges);
    }
    for (const table of [payload, header, shadow]) await table.remove();
  }
  const headers = header.rows + shadow.rows;
  const held = headerHigh === undefined ? payload.held : header.held + shadow.held;
  return { payloads: payload.rows, headers, held };
}

/** They are few and not partitioned; the statement is on the disk before the commit removes them. */
async function pruneNotes(
  inside: Queryable,
  beforeMs: number,
  options: PruneOptions,
): ReturnType<Prune> {
  await inside.query(lockRetention);
  await inside.query(limitLockWait);
  const parameters = [lowestUuid(beforeMs), holdsParameter(await options.holds(inside))];
  const [counted] = await inside.query(countNotes, parameters);
  const [notes, held] = [Number(counted?.["gone"]), Number(counted?.["kept"])];
  if (!options.isDryRun && notes > 0) {
    const ranges = readRanges(await inside.query(deleteNotes, parameters));
    if (ranges.size > 0) await options.prove?.(ranges);
  }
  return { notes, held };
}

interface Going {
  readonly inside: Queryable;
  readonly unit: Unit;
  readonly isDryRun: boolean;
}

type Parameters = readonly [low: string, high: string | undefined, holds: string];

/** What of one table goes. */
async function goingOf(
  { inside, unit, isDryRun }: Going,
  table: DayTable,
  parameters: Parameters,
): Promise<{ readonly rows: number; readonly held: number; readonly remove: () => Promise<void> }> {
  const nothing = { rows: 0, held: 0, remove: async () => {} };
  if (!unit.tables.has(table) || parameters[1] === undefined) return nothing;
  const name = partitionOf(table, unit.ending);
  if (!isDryRun) await inside.script(lockPartition(name));
  const [counted] = await inside.query(countGone(name), parameters);
  const [rows, held] = [Number(counted?.["gone"]), Number(counted?.["kept"])];
  const isWhole = held === 0 && unit.ending !== "default";
  const remove = async (): Promise<void> => {
    if (isWhole) await inside.script(dropPartition(name));
    else if (rows > 0) await inside.query(deleteGone(name), parameters);
  };
  return { rows, held, remove };
}

const rangeSchema = z.object({
  // It names a file, and whoever can write the store can write anything there.
  writer: z.string().check(z.regex(/^[0-9a-z-]{1,64}$/)),
  first: z.string(),
  last: z.string(),
  previous: z.nullable(z.string()),
  link: z.nullable(z.string()),
});

async function rangesOf(
  { inside, unit }: Going,
  parameters: Parameters,
): Promise<ReadonlyMap<string, readonly PrunedRange[]>> {
  const nameOf = (table: DayTable): string | undefined =>
    unit.tables.has(table) ? partitionOf(table, unit.ending) : undefined;
  const partitions = {
    decision: nameOf("decision"),
    shadow_difference: nameOf("shadow_difference"),
  };
  if (partitions.decision === undefined && partitions.shadow_difference === undefined) {
    return new Map();
  }
  return readRanges(await inside.query(selectRanges(partitions), parameters));
}

function readRanges(rows: readonly Row[]): ReadonlyMap<string, readonly PrunedRange[]> {
  const ranges = new Map<string, PrunedRange[]>();
  for (const row of rows) {
    const { writer, first, last, previous, link } = rangeSchema.parse(row);
    // Nobody vouches for what never stood in a chain.
    if (previous === null || link === null || Number(first) < 1) continue;
    const range = { first: Number(first), last: Number(last), previous, link };
    ranges.set(writer, [...(ranges.get(writer) ?? []), range]);
  }
  return ranges;
}

function at(ms: number | undefined): string | null {
  return ms === undefined || ms === 0 ? null : new Date(ms).toISOString();
}

async function noteRun(
  database: Queryable,
  { by, cutoffs }: PruneOptions,
  { payloads, headers }: { readonly payloads: number; readonly headers: number },
): Promise<void> {
  const { payloadBeforeMs, headerBeforeMs } = cutoffs;
  const payloadMs = Math.max(payloadBeforeMs ?? 0, headerBeforeMs ?? 0);
  await database.query(insertRun, [by, at(payloadMs), at(headerBeforeMs), payloads, headers]);
}
