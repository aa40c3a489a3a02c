/**
 * Everything that one server lists, as it was sent. A list that cannot be read takes away none of
 * the others.
 */
import type { Log } from "../../contract/ambient.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { listAll, listedKinds } from "../../mcp/upstream/list-all.ts";
import type { ListedKind, ListLimits } from "../../mcp/upstream/list-all.ts";
import type { UpstreamConnection } from "../../mcp/upstream/upstream-connection.ts";

export interface ReadListsOptions extends ListLimits {
  /** Ends the reading. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

export type ReadLists = Readonly<Partial<Record<ListedKind, readonly unknown[]>>>;

/** The lists that could be read; what went wrong with the others is in the log. */
export async function readLists(
  connection: UpstreamConnection,
  { signal, log, ...limits }: ReadListsOptions,
): Promise<ReadLists> {
  const lists: Partial<Record<ListedKind, readonly unknown[]>> = {};
  for (const kind of listedKinds) {
    try {
      lists[kind] = await listAll(connection, kind, limits, signal);
    } catch (thrown) {
      log.error({ code: codeOf(thrown), reason: messageOf(thrown) }, "upstream list not read");
    }
  }
  return lists;
}
