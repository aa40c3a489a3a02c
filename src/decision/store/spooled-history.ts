/**
 * The admissions of a time as an embedded spool has them. There the spool is the record and the
 * database an index, which one process at a time has open: whoever reads a long history here keeps
 * nobody else waiting, and nothing has to be taken in before. What retention took away is told by who
 * has looked into the index.
 */
import { join } from "node:path";
import type { Clock } from "../../contract/ambient.ts";
import { jsonMembers, jsonString } from "../../contract/json-members.ts";
import { columnText } from "../record-header.ts";
import { spooledFrames } from "../spool/spooled-chain.ts";
import { listWriters } from "../spool/writer-folder.ts";
import type { History, HistoryFilter, HistoryRow } from "./read-history.ts";
import { isUuid } from "./uuid-time.ts";

export interface SpooledHistory {
  /** Folder of the embedded spool. */
  readonly spool: string;
  readonly clock: Clock;
  readonly filter: HistoryFilter;
  /** Decisions within the filter of which the index has the headers alone. */
  readonly pruned: readonly HistoryRow[];
}

/** What a spool has, beside what was pruned of it. */
export function spooledHistory(about: SpooledHistory): History {
  const { pruned, filter } = about;
  // Whatever the spool still has of them is no longer for anybody to read.
  const gone = new Set(pruned.map(({ id }) => id));
  async function* all(): AsyncGenerator<readonly HistoryRow[]> {
    if (pruned.length > 0) yield pruned;
    for await (const page of spooledPages(about)) yield page.filter(({ id }) => !gone.has(id));
  }
  let lowest: Promise<string> | undefined;
  const lowestId = (limit: number): Promise<string> => (lowest ??= lowestOfNewest(all(), limit));
  return {
    count: async () => {
      let rows = 0;
      for await (const page of all()) rows += page.length;
      return Math.min(rows, filter.limit ?? rows);
    },
    pages: async function* pages() {
      const from = filter.limit === undefined ? "" : await lowestId(filter.limit);
      for await (const page of all()) yield page.filter(({ id }) => id >= from);
    },
  };
}

/** Id of the oldest of the newest so many; no more than a few times so many are kept. */
async function lowestOfNewest(
  pages: AsyncIterable<readonly HistoryRow[]>,
  limit: number,
): Promise<string> {
  let newest: string[] = [];
  for await (const page of pages) {
    newest.push(...page.map(({ id }) => id));
    if (newest.length > 4 * limit + 4096) newest = newestOf(newest, limit);
  }
  return newestOf(newest, limit).at(-1) ?? "";
}

function newestOf(ids: readonly string[], limit: number): string[] {
  return ids.toSorted().toReversed().slice(0, limit);
}

async function* spooledPages({
  spool,
  clock,
  filter,
}: SpooledHistory): AsyncGenerator<readonly HistoryRow[]> {
  for (const writer of await listWriters(spool)) {
    for await (const frames of spooledFrames(join(spool, writer), clock)) {
      const rows = frames.map(({ payload }) => rowOf(payload.toString("utf8"), filter));
      yield rows.filter((row) => row !== undefined);
    }
  }
}

const headMembers: ReadonlySet<string> = new Set([
  "kind",
  "decision_id",
  "timestamp",
  "server",
  "tool",
  "action_type",
]);

/** `undefined` of other records, and of what the index would not take either. */
function rowOf(text: string, filter: HistoryFilter): HistoryRow | undefined {
  const head = headOf(text);
  const id = jsonString(head?.get("decision_id") ?? "");
  if (head === undefined || !isUuid(id)) return undefined;
  const server = columnOf(head.get("server"));
  const { sinceMs, untilMs = Number.POSITIVE_INFINITY } = filter;
  const timeMs = Date.parse(jsonString(head.get("timestamp") ?? ""));
  if (!(timeMs >= sinceMs && timeMs < untilMs)) return undefined;
  if (filter.server !== undefined && server !== filter.server) return undefined;
  const tool = columnOf(head.get("tool")) ?? columnOf(head.get("action_type"));
  return { id, server, tool, record: text };
}

function headOf(text: string): ReadonlyMap<string, string> | undefined {
  try {
    const head = jsonMembers(text, headMembers);
    return head.get("kind") === '"admission"' ? head : undefined;
  } catch {
    return undefined;
  }
}

function columnOf(text: string | undefined): string | null {
  return text?.startsWith('"') === true ? columnText(jsonString(text)) : null;
}
