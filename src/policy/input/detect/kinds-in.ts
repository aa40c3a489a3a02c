/**
 * Which kinds of data a JSON value holds: in the names and values of its members, in numbers, and in
 * what is written in one more way inside a text (JSON, base64, percent signs). Somebody who wants to
 * hide data can always write it in yet another way; this is for what leaks without being hidden.
 */
import { isRecord } from "../../../contract/json.ts";
import type { DetectorKind } from "./detector.ts";
import { matchesOf } from "./detector.ts";
import { findSensitive } from "./find-sensitive.ts";

/** What was found, and whether all of the value was looked at. */
export interface KindsFound {
  readonly kinds: ReadonlySet<DetectorKind>;
  readonly isComplete: boolean;
}

/** Texts inside texts are opened so many times. */
const maxNesting = 2;
/** A base64 text shorter than this holds nothing worth finding. */
const fewestInBase64 = 24;
const base64Run = /(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{24,}={0,2}(?![A-Za-z0-9+/_=-])/g;

interface Search {
  readonly wanted: readonly DetectorKind[];
  readonly kinds: Set<DetectorKind>;
  /** A list and no recursion: a text may hold JSON that is nested deeper than a stack. */
  readonly pending: Place[];
  charactersLeft: number;
}

interface Place {
  readonly value: unknown;
  readonly name: string | undefined;
  readonly nesting: number;
}

/** Looks at a value until everything wanted is found or `maxCharacters` were read. */
export function kindsIn(
  value: unknown,
  wanted: readonly DetectorKind[],
  maxCharacters: number,
): KindsFound {
  const pending: Place[] = [{ value, name: undefined, nesting: 0 }];
  const search: Search = { wanted, kinds: new Set(), pending, charactersLeft: maxCharacters };
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    if (search.charactersLeft < 0 || search.kinds.size === wanted.length) break;
    lookAt(search, place);
  }
  return { kinds: search.kinds, isComplete: search.charactersLeft >= 0 };
}

function lookAt(search: Search, { value, name, nesting }: Place): void {
  const { pending } = search;
  if (typeof value === "string") return readText(search, value, name, nesting);
  if (typeof value === "number") return readText(search, String(value), name, maxNesting);
  // What is pushed last is looked at first, so the order of the value is kept from behind.
  if (Array.isArray(value)) {
    for (const item of value.toReversed()) pending.push({ value: item, name, nesting });
    return;
  }
  if (!isRecord(value)) return;
  for (const [key, member] of Object.entries(value).toReversed()) {
    pending.push({ value: member, name: key, nesting });
    readText(search, key, undefined, maxNesting);
  }
}

function readText(search: Search, text: string, name: string | undefined, nesting: number): void {
  search.charactersLeft -= text.length;
  if (search.charactersLeft < 0) return;
  const { kinds, wanted } = search;
  const missing = kinds.size === 0 ? wanted : wanted.filter((kind) => !kinds.has(kind));
  for (const { kind } of findSensitive(text, missing, name)) kinds.add(kind);
  if (nesting >= maxNesting) return;
  for (const value of openText(text)) search.pending.push({ value, name, nesting: nesting + 1 });
}

/** What a text holds in another writing. */
function openText(text: string): readonly unknown[] {
  return [...asJson(text), ...fromPercent(text), ...fromBase64(text)];
}

function asJson(text: string): readonly unknown[] {
  if (!/^\s{0,16}[[{]/.test(text)) return [];
  try {
    const value: unknown = JSON.parse(text);
    return [value];
  } catch {
    return [];
  }
}

function fromPercent(text: string): readonly string[] {
  if (!text.includes("%") || !/%[0-9A-Fa-f]{2}/.test(text)) return [];
  const decoded = text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    return Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8");
  });
  return [decoded];
}

function fromBase64(text: string): readonly string[] {
  if (text.length < fewestInBase64) return [];
  return matchesOf(text, base64Run).flatMap(([run]) => {
    const decoded = Buffer.from(run, "base64").toString("utf8");
    return isReadable(decoded) ? [decoded] : [];
  });
}

/** Text, not an image or a digest. */
function isReadable(text: string): boolean {
  const start = text.slice(0, 256);
  return start.length > 0 && !/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(start);
}
