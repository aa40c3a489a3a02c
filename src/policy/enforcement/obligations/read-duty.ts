/**
 * Reads an obligation strictly, before its call leaves: a property that nobody knows, or that is
 * mistyped, would otherwise be noticed when the data have passed.
 */
import { RE2JS } from "re2js";
import type { DetectorKind } from "../../../contract/detector-kind.ts";
import { detectorKinds } from "../../../contract/detector-kind.ts";
import type { Json, JsonObject } from "../../../contract/json.ts";
import type { Obligation } from "../../../contract/layer.ts";
import { GatewayError } from "../../../errors.ts";
import type { Duty } from "./obligation.ts";

export type DutyReading =
  | { readonly ok: true; readonly duty: Duty }
  /** `problem` names properties, never values. */
  | { readonly ok: false; readonly problem: string };

class Unreadable extends GatewayError<"unknown_obligation"> {}

const defaultReplacement = "[redacted]";
const maxEntries = 100;
const compiled = new Map<string, RE2JS>();

/** The obligation, or what is wrong with it; never throws. `channels`: names of the operator's. */
export function readDuty(obligation: Obligation, channels: ReadonlySet<string>): DutyReading {
  try {
    return { ok: true, duty: readByType(obligation, channels) };
  } catch (thrown) {
    if (!(thrown instanceof Unreadable)) throw thrown;
    return { ok: false, problem: thrown.message };
  }
}

function readByType({ id, type, properties }: Obligation, channels: ReadonlySet<string>): Duty {
  switch (type) {
    case "redact":
      return readRedact(id, properties);
    case "mask_fields":
      return readMask(id, properties);
    case "truncate":
      return readTruncate(id, properties);
    case "notify": {
      allowOnly(properties, ["channel"]);
      const { channel } = properties;
      if (typeof channel === "string" && channels.has(channel)) return { type, id, channel };
      throw unreadable('expected "channel" to name one of notify.channels');
    }
    default:
      throw unreadable("expected redact, mask_fields, truncate or notify as type");
  }
}

function readRedact(id: string, properties: JsonObject): Duty {
  allowOnly(properties, ["kinds", "literals", "patterns", "pointers", "with"]);
  const {
    kinds,
    literals,
    patterns,
    pointers,
    with: replacement = defaultReplacement,
  } = properties;
  if (typeof replacement !== "string") throw unreadable('expected "with" to be a string');
  const duty = {
    type: "redact",
    id,
    kinds: textsOf(kinds, "kinds").map(readKind),
    literals: textsOf(literals, "literals"),
    patterns: textsOf(patterns, "patterns").map(readPattern),
    pointers: textsOf(pointers, "pointers").map(readPointer),
    replacement,
  } as const;
  const lists = [duty.kinds, duty.literals, duty.patterns, duty.pointers];
  if (lists.every((list) => list.length === 0)) {
    throw unreadable('expected "kinds", "literals", "patterns" or "pointers"');
  }
  return duty;
}

function readMask(id: string, properties: JsonObject): Duty {
  allowOnly(properties, ["fields", "keep_type", "text"]);
  const { keep_type: keepsType = false, text = "withhold" } = properties;
  const fields = textsOf(properties["fields"], "fields").map((field) => field.split("."));
  if (fields.length === 0 || fields.some((parts) => parts.includes(""))) {
    throw unreadable('expected "fields" to list names or paths such as customer.email');
  }
  if (fields.some((parts) => parts.every((part) => part === "*"))) {
    throw unreadable('expected a name in each of "fields", found only *');
  }
  if (typeof keepsType !== "boolean") throw unreadable('expected "keep_type" to be a boolean');
  if (text !== "withhold" && text !== "pass") {
    throw unreadable('expected "text" to be "withhold" or "pass"');
  }
  return { type: "mask_fields", id, fields, keepsType, text };
}

function readTruncate(id: string, properties: JsonObject): Duty {
  const names = ["max_bytes", "max_characters", "max_items"];
  allowOnly(properties, names);
  const [maxBytes, maxCharacters, maxItems] = names.map((name) => countOf(properties[name], name));
  if (maxBytes === undefined && maxCharacters === undefined && maxItems === undefined) {
    throw unreadable(`expected one of ${names.join(", ")}`);
  }
  return { type: "truncate", id, maxBytes, maxCharacters, maxItems };
}

function unreadable(problem: string): Unreadable {
  return new Unreadable("unknown_obligation", problem);
}

function allowOnly(properties: JsonObject, names: readonly string[]): void {
  if (Object.keys(properties).every((name) => names.includes(name))) return;
  throw unreadable(`expected no properties but ${names.join(", ")}`);
}

function textsOf(value: Json | undefined, name: string): readonly string[] {
  if (value === undefined) return [];
  const list: readonly Json[] = Array.isArray(value) ? value : [];
  const texts = list.filter((item) => typeof item === "string").filter((text) => text !== "");
  if (texts.length === 0 || texts.length !== list.length || texts.length > maxEntries) {
    throw unreadable(`expected "${name}" to be 1 to ${maxEntries} strings that are not empty`);
  }
  return texts;
}

function countOf(value: Json | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw unreadable(`expected "${name}" to be a whole number from 0`);
}

function readKind(text: string): DetectorKind {
  const kind = detectorKinds.find((known) => known === text);
  if (kind === undefined) throw unreadable(`expected "kinds" among ${detectorKinds.join(", ")}`);
  return kind;
}

function readPattern(source: string): RE2JS {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  try {
    const pattern = RE2JS.compile(source);
    if (compiled.size >= maxEntries) compiled.clear();
    compiled.set(source, pattern);
    return pattern;
  } catch {
    throw unreadable('expected "patterns" to be regular expressions of RE2');
  }
}

function readPointer(pointer: string): readonly string[] {
  if (!pointer.startsWith("/")) throw unreadable('expected "pointers" to begin with /');
  return pointer
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}
