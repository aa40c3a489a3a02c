/**
 * Reads decisions back: lists, newest first, and one whole record. Rows are checked here and trusted
 * afterwards.
 */
import * as z from "zod";
import type { Queryable } from "../../database/database.ts";
import { DecisionError } from "../decision-error.ts";
import {
  selectDecision,
  selectDecisions,
  selectIdsBetween,
  selectLastId,
  selectNote,
} from "./select-decisions.ts";
import { membersOfStored } from "./stored-record.ts";
import { isUuid, lowestUuid, uuidRange } from "./uuid-time.ts";

/** Ids and records are made at nearly the same time; this much apart is allowed. */
const idSlackMs = 60 * 60_000;

export interface DecisionFilter {
  /** Milliseconds since the epoch. */
  readonly sinceMs?: number | undefined;
  readonly server?: string | undefined;
  /** The upstream's name or the exposed one. */
  readonly tool?: string | undefined;
  readonly agent?: string | undefined;
  readonly outcome?: string | undefined;
  readonly effect?: string | undefined;
  readonly limit: number;
}

const texts = z.array(z.string()).nullable();
const text = z.string().nullable();

const summarySchema = z.object({
  decision_id: z.string(),
  time: z.string(),
  tenant: text,
  agent: text,
  user: text,
  server: text,
  tool: text,
  exposed_name: text,
  action_type: text,
  effect: text,
  enforced: z.boolean().nullable(),
  reasons: texts,
  matched_rules: texts,
  remediation: text,
  outcome: z.string(),
  latency_ms: z.number().nullable(),
  policy_ms: z.number().nullable(),
  policy_version: text,
  bundles: z.unknown(),
  args_sha256: text,
  posture: text,
});

/** One decision in a list; snake_case, as it is printed. */
export type DecisionSummary = z.output<typeof summarySchema>;

const wholeSchema = z.object({
  outcome: z.string(),
  admission: z.string().nullable(),
  outcome_record: z.string().nullable(),
  pruned_at: z.string().nullable(),
});

/** One decision with its exact records. */
export interface WholeDecision {
  readonly decision_id: string;
  /** As the view `decisions` says it: `pending` and `unknown` are no records. */
  readonly outcome: string;
  /** `null` where the payload was pruned. */
  readonly admission: unknown;
  /** `null` where the call has not ended, or nobody could say so. */
  readonly outcome_record: unknown;
  /** When the payload was pruned, where it was and that is known. */
  readonly payload_pruned_at?: string;
}

const noteSchema = z.object({ kind: z.string(), record: z.string() });

/** A record that belongs to no decision: of a bundle, an approval, an operator. */
export interface WholeNote {
  readonly decision_id: string;
  readonly kind: string;
  readonly record: unknown;
}

/** Decisions that match, newest first. */
export async function listDecisions(
  database: Queryable,
  filter: DecisionFilter,
): Promise<readonly DecisionSummary[]> {
  const sinceMs = filter.sinceMs ?? 0;
  const rows = await database.query(selectDecisions, [
    lowestUuid(sinceMs - idSlackMs),
    new Date(sinceMs).toISOString(),
    filter.server ?? null,
    filter.tool ?? null,
    filter.agent ?? null,
    filter.outcome ?? null,
    filter.effect ?? null,
    filter.limit,
  ]);
  return rows.map((row) => summarySchema.parse(row["item"]));
}

/**
 * The decision with this id, with the only id that begins with it, or the newest for `last`. Throws
 * `decision_unknown`, `decision_ambiguous`, `invalid_filter`, `record_not_whole`.
 */
export async function getDecision(database: Queryable, wanted: string): Promise<WholeDecision> {
  const id = await resolveId(database, wanted);
  const found = await findDecision(database, id);
  if (found === undefined) throw unknownId(wanted);
  return found;
}

/** The same, also for what is no decision. */
export async function getRecord(
  database: Queryable,
  wanted: string,
): Promise<WholeDecision | WholeNote> {
  const id = await resolveId(database, wanted);
  const found = (await findDecision(database, id)) ?? (await findNote(database, id));
  if (found === undefined) throw unknownId(wanted);
  return found;
}

async function findNote(database: Queryable, id: string): Promise<WholeNote | undefined> {
  const rows = await database.query(selectNote, [id]);
  if (rows[0] === undefined) return undefined;
  const { kind, record } = noteSchema.parse(rows[0]["item"]);
  return { decision_id: id, kind, record: parseRecord(id, record) };
}

async function findDecision(database: Queryable, id: string): Promise<WholeDecision | undefined> {
  const rows = await database.query(selectDecision, [id]);
  if (rows[0] === undefined) return undefined;
  const { outcome, admission, outcome_record, pruned_at } = wholeSchema.parse(rows[0]["item"]);
  return {
    decision_id: id,
    outcome,
    admission: parseRecord(id, admission),
    outcome_record: parseRecord(id, outcome_record),
    ...(admission === null && pruned_at !== null ? { payload_pruned_at: pruned_at } : {}),
  };
}

async function resolveId(database: Queryable, wanted: string): Promise<string> {
  const given = wanted.toLowerCase();
  if (given === "last") return resolveLast(database);
  if (!/^[0-9a-f-]{4,36}$/.test(given)) throw invalidId(wanted);
  if (isUuid(given)) return given;
  const { low, high } = uuidRange(given);
  if (!isUuid(low)) throw invalidId(wanted);
  const ids = (await database.query(selectIdsBetween, [low, high])).map((row) => String(row["id"]));
  const [id] = ids;
  if (id === undefined) throw unknownId(wanted);
  if (ids.length > 1) throw ambiguousId(wanted, ids);
  return id;
}

async function resolveLast(database: Queryable): Promise<string> {
  const id = (await database.query(selectLastId))[0]?.["id"];
  if (typeof id === "string") return id;
  throw new DecisionError(
    "decision_unknown",
    "expected a decision, found none recorded yet; make a call through the gateway first",
  );
}

function parseRecord(id: string, base64: string | null): unknown {
  return base64 === null ? null : membersOfStored(id, base64);
}

function unknownId(wanted: string): DecisionError {
  return new DecisionError(
    "decision_unknown",
    `expected a decision with id ${wanted}, found none; see mcp-gateway decision list`,
  );
}

function ambiguousId(wanted: string, ids: readonly string[]): DecisionError {
  const shown = ids.slice(0, 5).join(", ");
  const more = ids.length > 5 ? ", …" : "";
  return new DecisionError(
    "decision_ambiguous",
    `expected one decision whose id begins with ${wanted}, found ${shown}${more}; give more of the id`,
  );
}

function invalidId(wanted: string): DecisionError {
  return new DecisionError(
    "invalid_filter",
    `expected a decision id, at least its first four characters, or "last", found "${wanted.slice(0, 64)}"`,
  );
}
