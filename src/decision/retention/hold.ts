/**
 * A legal hold: which decisions are kept although their retention is over. Everything that a hold
 * names has to be true of a decision; what is not known of a record counts as true, so that nothing
 * that may be held is removed.
 */
import * as z from "zod/mini";
import { canonicalJson } from "../../contract/canonical-json.ts";
import { isRecord } from "../../contract/json.ts";
import { columnText } from "../record-header.ts";
import type { Members } from "../record-header.ts";

const text = z.nullable(z.string());

export const holdSchema = z.object({
  hold_id: z.string(),
  tenant: z.string(),
  held_by: z.string(),
  /** RFC 3339. */
  held_at: z.string(),
  why: z.string(),
  decision_ids: z.nullable(z.array(z.string())),
  agent: text,
  user: text,
  server: text,
  /** RFC 3339, from this moment on. */
  from: text,
  /** RFC 3339, before this moment. */
  until: text,
});

/** As it is stored and printed. */
export type Hold = z.output<typeof holdSchema>;

/** What a hold is about. */
export type HoldScope = Pick<Hold, "decision_ids" | "agent" | "user" | "server" | "from" | "until">;

/** One line for people and for the record. */
export function holdText(scope: HoldScope): string {
  const { decision_ids: ids, from, until } = scope;
  const parts = (["agent", "user", "server"] as const).flatMap((name) => {
    const value = scope[name];
    return value === null ? [] : [`${name} ${value}`];
  });
  if (ids !== null) parts.push(ids.length === 1 ? `decision ${ids[0]}` : `${ids.length} decisions`);
  if (from !== null) parts.push(`from ${from}`);
  if (until !== null) parts.push(`until ${until}`);
  return parts.join(", ");
}

/** The parameter of the statements that leave out what is held; names as long as columns have them. */
export function holdsParameter(holds: readonly Hold[]): string {
  return canonicalJson(
    holds.map(({ tenant, decision_ids, agent, user, server, from, until }) => ({
      tenant: columnText(tenant),
      decision_ids,
      agent: columnText(agent),
      user_id: columnText(user),
      server: columnText(server),
      from_at: from,
      until_at: until,
    })),
  );
}

/**
 * Whether one of the holds may be about a record, by its members as they lie in the spool. An outcome
 * names nobody, and goes with its decision.
 */
export function isHeld(record: Members, holds: readonly Hold[]): boolean {
  return holds.some((hold) => isAbout(record, hold));
}

function isAbout(record: Members, hold: Hold): boolean {
  const ids = [record["for_decision_id"], record["decision_id"]];
  const timeMs = Date.parse(String(record["timestamp"]));
  const isNobodys = record["kind"] === "outcome";
  return (
    agrees(record["tenant"], hold.tenant, false) &&
    agrees(record["agent"], hold.agent, isNobodys) &&
    agrees(record["user"], hold.user, isNobodys) &&
    agrees(record["server"], hold.server, isNobodys) &&
    (hold.decision_ids === null || hold.decision_ids.some((id) => ids.includes(id))) &&
    (hold.from === null || !(timeMs < Date.parse(hold.from))) &&
    (hold.until === null || !(timeMs >= Date.parse(hold.until)))
  );
}

function agrees(found: unknown, wanted: string | null, isNobodys: boolean): boolean {
  if (wanted === null) return true;
  return typeof found === "string" ? columnText(found) === columnText(wanted) : !isNobodys;
}

/** Holds out of JSON that somebody else may have written; throws what the schema throws. */
export function parseHold(value: unknown): Hold {
  return holdSchema.parse(isRecord(value) ? value : {});
}
