/**
 * Every page of one of a server's lists, bounded in pages, items and bytes. Whether an item is any
 * good is judged by whoever keeps the list.
 */
import { describeReply, maxMessageBytes } from "./failed.ts";
import { isRecord } from "../../contract/json.ts";
import { rpcCodes } from "../wire/rpc.ts";
import type { UpstreamConnection, UpstreamReply } from "./upstream-connection.ts";
import { UpstreamError } from "./upstream-error.ts";

export const listedKinds = ["tools", "prompts", "resources", "resourceTemplates"] as const;

export type ListedKind = (typeof listedKinds)[number];

export interface ListLimits {
  /** Config id, for messages. */
  readonly id: string;
  /** For each page; all of them end with `signal`. */
  readonly timeoutMs: number;
}

interface Row {
  readonly method: string;
  readonly capability: string;
  readonly noun: string;
}

const rows: Readonly<Record<ListedKind, Row>> = {
  tools: { method: "tools/list", capability: "tools", noun: "tools" },
  prompts: { method: "prompts/list", capability: "prompts", noun: "prompts" },
  resources: { method: "resources/list", capability: "resources", noun: "resources" },
  resourceTemplates: {
    method: "resources/templates/list",
    capability: "resources",
    noun: "resource templates",
  },
};

const maxPages = 64;
const maxItems = 2000;

/** Items as they were sent; none where the server does not declare the kind. Throws `UpstreamError`. */
export async function listAll(
  connection: UpstreamConnection,
  kind: ListedKind,
  limits: ListLimits,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const { method, capability, noun } = rows[kind];
  if (!isRecord(connection.greeting.capabilities[capability])) return [];
  const fail = (reason: string): never => {
    const message = `server "${limits.id}" did not list its ${noun}: ${reason}`;
    throw new UpstreamError("upstream_list_failed", message);
  };
  const items: unknown[] = [];
  let bytes = 0;
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const params = cursor === undefined ? {} : { cursor: JSON.stringify(cursor) };
    const { timeoutMs } = limits;
    const reply = await connection.request({ method, params, timeoutMs, signal });
    if (reply.kind !== "result") {
      return hasNone(kind, reply) ? [] : fail(describeReply(reply));
    }
    const { [kind]: found, nextCursor } = reply.result.value;
    if (!Array.isArray(found)) return fail(`it answered no array of ${noun}`);
    for (const item of found) items.push(item);
    bytes += reply.result.bytes.length;
    if (bytes > maxMessageBytes) return fail("its list is too long to be kept");
    if (items.length > maxItems) return fail(`it lists more than ${maxItems} ${noun}`);
    if (nextCursor === undefined || nextCursor === null) return items;
    if (typeof nextCursor !== "string") return fail("it answered a cursor that is no string");
    if (nextCursor === cursor) return fail("it answered the same cursor twice");
    cursor = nextCursor;
  }
  return fail(`its list has more than ${maxPages} pages`);
}

/** Servers with resources and without templates need not know the method. */
function hasNone(kind: ListedKind, reply: UpstreamReply): boolean {
  return (
    kind === "resourceTemplates" &&
    reply.kind === "error" &&
    reply.error.code === rpcCodes.methodNotFound
  );
}
