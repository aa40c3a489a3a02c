/**
 * The canonical form of RFC 8785 (JCS), for digests of documents whose key order carries no
 * meaning: tool definitions, approvals, pins.
 */
import { isRecord } from "./json.ts";

/** Canonical text: keys sorted by UTF-16 code units, no spaces, numbers as ECMAScript writes them. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "string") return quoted(value);
  if (!isRecord(value)) return JSON.stringify(value) ?? "null";
  let members = "";
  for (const key of Object.keys(value).toSorted()) {
    const member = value[key];
    if (member === undefined) continue;
    members += `${members === "" ? "" : ","}${quoted(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

/** Nothing in it needs an escape. */
const plain = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text);
}
