/**
 * Looks at what is about to be stated as pruned: that its records are what was written, of the places
 * and the age that the store says, and that they pass through the checkpoints. Whoever can write the
 * store could otherwise put records into an old day, and have their removal signed.
 */
import type { Queryable } from "../../database/database.ts";
import { DecisionError } from "../decision-error.ts";
import type { FoundRecord } from "../integrity/chain-check.ts";
import type { StatedPlace } from "../integrity/checkpoint.ts";
import { fitsBehind } from "../integrity/fits-behind.ts";
import type { PrunedByWriter, PrunedRange } from "../integrity/pruned-range.ts";
import { readMembers } from "../record-header.ts";
import { storedChainFrom } from "../store/stored-chain.ts";
import { lowestUuid } from "../store/uuid-time.ts";

export interface WholeWish {
  /** Decisions made then or later have no business among what goes. */
  readonly beforeMs: number;
  /** What checkpoints state, by writer. */
  readonly stated: ReadonlyMap<string, readonly StatedPlace[]>;
}

/**
 * Resolves where all of it is.
 *
 * @throws DecisionError `record_not_whole`
 */
export async function requireWhole(
  database: Queryable,
  removed: PrunedByWriter,
  { beforeMs, stated }: WholeWish,
): Promise<void> {
  const idBefore = lowestUuid(beforeMs);
  for (const [writer, ranges] of removed) {
    const links = new Map((stated.get(writer) ?? []).map(({ seq, link }) => [seq, link]));
    for (const range of ranges) {
      const place = await firstMisfit(database, { writer, range, idBefore, links });
      if (place !== undefined) throw notWhole(writer, place);
    }
  }
}

interface Going {
  readonly writer: string;
  readonly range: PrunedRange;
  /** Of no record that goes. */
  readonly idBefore: string;
  readonly links: ReadonlyMap<number, string>;
}

async function firstMisfit(
  database: Queryable,
  { writer, range, idBefore, links }: Going,
): Promise<number | undefined> {
  let head = { seq: range.first - 1, link: range.previous };
  for await (const record of storedChainFrom(database, writer, { seq: head.seq, timeMs: 0 })) {
    if (record.seq > range.last) break;
    const isStated = (links.get(record.seq) ?? record.link) === record.link;
    const isOld = idOf(record) < idBefore;
    if (!isStated || !isOld || !fitsBehind(record, writer, head)) return record.seq;
    head = { seq: record.seq, link: record.link };
  }
  return head.seq === range.last && head.link === range.link ? undefined : head.seq + 1;
}

/** Bound by the link, unlike the column that rows are found by. */
function idOf({ text, columns }: FoundRecord): string {
  const members = text === undefined ? columns : readMembers(text);
  return String(members?.["decision_id"]);
}

function notWhole(writer: string, place: number): DecisionError {
  const expected = "expected what is to be pruned to be what was written";
  const found = `record ${place} of ${writer} is not; see mcp-gateway audit verify`;
  return new DecisionError("record_not_whole", `${expected}, found that ${found}`);
}
