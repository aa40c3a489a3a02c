/**
 * What may differ between a server and the gateway before it, taken away: the server's id before
 * names, loggers and questions, the folder, what is made anew at each run, and the words that only one era has.
 */
import { z } from "zod";
import type { Era } from "./matrix-client.ts";

export interface View {
  /** Server id, the prefix of names through the gateway. */
  readonly id: string;
  readonly folder: string;
}

const renewed: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uuid>"],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<instant>"],
  [/\d{1,2}:\d\d:\d\d [AP]M/g, "<time>"],
  [/((?:created|modified|accessed): )[^\\"]*/g, "$1<date>"],
  [/for session (<uuid>|undefined)/g, "for session <session>"],
  [/ ?from session <uuid>/g, ""],
];

/** JSON of a value without what may differ, to be compared. */
export function normalise(value: unknown, { id, folder }: View): unknown {
  const text = JSON.stringify(value ?? null)
    .replaceAll(`"${id}__`, '"')
    .replaceAll(`"logger":"${id}/`, '"logger":"')
    .replaceAll(`"message":"[${id}] `, '"message":"')
    .replaceAll(JSON.stringify(folder).slice(1, -1), "<folder>");
  return strip(JSON.parse(renewed.reduce((kept, [from, to]) => kept.replaceAll(from, to), text)));
}

const record = z.record(z.string(), z.unknown());
/** Of 2026-07-28: how long a client may keep a result; a gateway's results are one principal's. */
const stripped: ReadonlySet<string> = new Set([
  "ttlMs",
  "cacheScope",
  "resultType",
  // Each leg of a request has its own.
  "progressToken",
]);
const serverInfo = "io.modelcontextprotocol/serverInfo";

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => strip(item));
  const read = record.safeParse(value);
  if (!read.success) return value;
  const kept = Object.entries(read.data)
    .filter(([key]) => !stripped.has(key) && key !== serverInfo)
    .map(([key, member]) => [key, strip(member)] as const)
    .filter(([key, member]) => key !== "_meta" || JSON.stringify(member) !== "{}");
  return Object.fromEntries(kept);
}

const wordsOf: Readonly<Record<Era, ReadonlySet<string>>> = {
  legacy: new Set(["execution", "tasks", "elicitationId"]),
  modern: new Set(["extensions"]),
};

/** What a client of the other era does not get to see of a server. */
export function acrossEras(value: unknown, client: Era, server: Era): unknown {
  if (client === server) return value;
  if (Array.isArray(value)) return value.map((item) => acrossEras(item, client, server));
  const read = record.safeParse(value);
  if (!read.success) return value;
  const isForeign = (code: unknown): boolean => client === "modern" && code === -32_002;
  const kept = Object.entries(read.data)
    .filter(([key]) => !wordsOf[server].has(key))
    .map(([key, member]) => [
      key,
      key === "code" && isForeign(member) ? -32_602 : acrossEras(member, client, server),
    ]);
  return Object.fromEntries(kept);
}
