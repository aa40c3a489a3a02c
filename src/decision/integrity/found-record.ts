/**
 * Takes the digests of a record that was found again: in a spool, in the store, or, where the record
 * itself was pruned, of the columns that are left of it.
 */
import { hash } from "node:crypto";
import { canonicalJson } from "../../contract/canonical-json.ts";
import { isRecord } from "../../contract/json.ts";
import { headerOf, readMembers } from "../record-header.ts";
import type { Members } from "../record-header.ts";
import type { FoundRecord } from "./chain-check.ts";
import { openEnvelope } from "./envelope.ts";

/** A record's place and columns, as the store has them beside it. */
export interface StoredPlace {
  readonly writer: string;
  readonly seq: number;
  /** Columns under the names of `RecordHeader`; `undefined` where the store keeps none. */
  readonly columns: Members | undefined;
}

/** The record of a text, compared with where it was found; whoever wrote it breaks no reader. */
export function foundText(text: string, place: StoredPlace): FoundRecord {
  try {
    return readText(text, place);
  } catch {
    return unreadable(place.seq, "it cannot be read");
  }
}

function readText(text: string, place: StoredPlace): FoundRecord {
  const envelope = openEnvelope(text);
  if (envelope === undefined) return unreadable(place.seq, "it has no place in a chain");
  const members = readMembers(text);
  const header = members === undefined ? undefined : headerOf(members);
  const { writer, seq, previous, link } = envelope;
  const isPlaced = writer === place.writer && seq === place.seq;
  const problem = isPlaced
    ? differingColumn(header, place.columns)
    : `it says that it is record ${seq} of ${writer}`;
  return {
    seq: place.seq,
    previous,
    link,
    // A record that no header can be made of was written without one.
    headerSha256: hash("sha256", header === undefined ? "null" : canonicalJson(header)),
    recordSha256: hash("sha256", envelope.text),
    problem,
    text,
  };
}

/** The links and the digest that the store keeps beside a header, hexadecimal. */
export interface KeptLinks {
  readonly previous: string;
  readonly link: string;
  readonly recordSha256: string;
}

/** What is left of a record that was pruned. */
export function foundColumns(place: StoredPlace, links: KeptLinks): FoundRecord {
  const kind = place.columns?.["kind"];
  const header = headerOf({ kind });
  if (header === undefined) return unreadable(place.seq, "it is of no known kind");
  const columns = Object.fromEntries(
    Object.keys(header).map((name) => [name, columnOf(place.columns, name)]),
  );
  return {
    seq: place.seq,
    ...links,
    headerSha256: hash("sha256", canonicalJson(columns)),
    columns,
  };
}

/** What stands at a place and is no record. */
export function unreadable(seq: number, problem: string): FoundRecord {
  return { seq, previous: "", link: "", headerSha256: "", recordSha256: "", problem };
}

function differingColumn(
  header: Members | undefined,
  columns: Members | undefined,
): string | undefined {
  if (header === undefined || columns === undefined) return undefined;
  const name = Object.keys(header).find(
    (key) => canonicalJson(header[key]) !== canonicalJson(columnOf(columns, key)),
  );
  return name === undefined ? undefined : `its column ${name} is not what the record says`;
}

/** In the form in which a header has it: times in RFC 3339, objects as canonical JSON. */
function columnOf(columns: Members | undefined, name: string): unknown {
  const value = columns?.[name] ?? null;
  if (typeof value === "string" && name.endsWith("_at")) return new Date(value).toISOString();
  return isRecord(value) ? canonicalJson(value) : value;
}
