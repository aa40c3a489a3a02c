/**
 * Changes members of a result object without touching the bytes of the others: numbers and text of
 * an upstream reach the client as they came, whatever is stamped beside them.
 */
import { isRecord } from "../../contract/json.ts";
import type { RawResult } from "./read-server-message.ts";
import { scanObject } from "./scan-object.ts";
import { maxDepth } from "./strict-json.ts";

export interface ResultChanges {
  /** Members to set or replace, as JSON text. */
  readonly set: Readonly<Record<string, string>>;
  /** Members to take out. */
  readonly drops?: (key: string) => boolean;
  /** The new text of a member; `undefined` leaves it as it is. */
  readonly replace?: (key: string, part: Buffer) => string | undefined;
  /** Members of `_meta` to take out. */
  readonly dropsMeta: (key: string) => boolean;
}

/** A result object of which somebody may have looked up already where its members stand. */
export type ResultBytes = Omit<RawResult, "members"> & Partial<RawResult>;

/**
 * The changed bytes; the same buffer where nothing changes. `bytes` has to be a JSON object without
 * duplicate members; a `_meta` that cannot be taken apart is left out whole.
 */
export function rewriteResult(
  { bytes, value, members }: ResultBytes,
  changes: ResultChanges,
): Buffer {
  const meta = value["_meta"];
  const drops = new Set(isRecord(meta) ? Object.keys(meta).filter(changes.dropsMeta) : []);
  const isUntouched = drops.size === 0 && Object.keys(changes.set).length === 0;
  const dropsMember = Object.keys(value).some((key) => changes.drops?.(key) === true);
  if (isUntouched && !dropsMember && changes.replace === undefined) return bytes;
  const keepMeta = (key: string, part: Buffer): Buffer | undefined =>
    drops.has(key) ? undefined : part;
  const keep = (key: string, part: Buffer): Buffer | undefined => {
    if (key in changes.set || changes.drops?.(key) === true) return undefined;
    const replaced = changes.replace?.(key, part);
    if (replaced !== undefined) return Buffer.from(replaced);
    return key === "_meta" ? rebuild(part, membersOf(part), keepMeta, {}) : part;
  };
  return rebuild(bytes, members ?? membersOf(bytes), keep, changes.set) ?? bytes;
}

/** Puts an object together again from the members that `keep` returns, in their order. */
function rebuild(
  bytes: Buffer,
  members: RawResult["members"] | undefined,
  keep: (key: string, part: Buffer) => Buffer | undefined,
  added: Readonly<Record<string, string>>,
): Buffer | undefined {
  if (members === undefined) return undefined;
  const texts = Object.entries(added).map(([key, text]) => memberOf(key, Buffer.from(text)));
  for (const [key, span] of members) {
    const kept = keep(key, bytes.subarray(span.start, span.end));
    if (kept !== undefined) texts.push(memberOf(key, kept));
  }
  const parts = texts.flatMap((part, at) => (at === 0 ? [part] : [Buffer.from(","), part]));
  return Buffer.concat([Buffer.from("{"), ...parts, Buffer.from("}")]);
}

function membersOf(bytes: Buffer): RawResult["members"] | undefined {
  const scan = scanObject(bytes, maxDepth);
  return scan.ok ? scan.members : undefined;
}

function memberOf(key: string, text: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(key)}:`), text]);
}
