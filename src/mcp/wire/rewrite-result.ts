/**
 * Changes members of a result object without touching the bytes of the others: numbers and text of
 * an upstream reach the client as they came, whatever is stamped beside them.
 */
import { isRecord } from "../../contract/json.ts";
import { scanObject } from "./scan-object.ts";
import { maxDepth } from "./strict-json.ts";

export interface ResultChanges {
  /** Members to set or replace, as JSON text. */
  readonly set: Readonly<Record<string, string>>;
  /** Members of `_meta` to take out. */
  readonly dropsMeta: (key: string) => boolean;
}

/**
 * The changed bytes; the same buffer where nothing changes. `bytes` has to be a JSON object without
 * duplicate members; a `_meta` that cannot be taken apart is left out whole.
 */
export function rewriteResult(
  bytes: Buffer,
  value: Readonly<Record<string, unknown>>,
  changes: ResultChanges,
): Buffer {
  const meta = value["_meta"];
  const drops = new Set(isRecord(meta) ? Object.keys(meta).filter(changes.dropsMeta) : []);
  if (drops.size === 0 && Object.keys(changes.set).length === 0) return bytes;
  const keepMeta = (key: string, part: Buffer): Buffer | undefined =>
    drops.has(key) ? undefined : part;
  const keep = (key: string, part: Buffer): Buffer | undefined => {
    if (key in changes.set) return undefined;
    return key === "_meta" ? rebuild(part, keepMeta, {}) : part;
  };
  return rebuild(bytes, keep, changes.set) ?? bytes;
}

/** Puts an object together again from the members that `keep` returns, in their order. */
function rebuild(
  bytes: Buffer,
  keep: (key: string, part: Buffer) => Buffer | undefined,
  added: Readonly<Record<string, string>>,
): Buffer | undefined {
  const scan = scanObject(bytes, { start: 0, end: bytes.length }, maxDepth);
  if (!scan.ok) return undefined;
  const members = Object.entries(added).map(([key, text]) => memberOf(key, Buffer.from(text)));
  for (const [key, span] of scan.members) {
    const kept = keep(key, bytes.subarray(span.start, span.end));
    if (kept !== undefined) members.push(memberOf(key, kept));
  }
  const parts = members.flatMap((part, at) => (at === 0 ? [part] : [Buffer.from(","), part]));
  return Buffer.concat([Buffer.from("{"), ...parts, Buffer.from("}")]);
}

function memberOf(key: string, text: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(key)}:`), text]);
}
