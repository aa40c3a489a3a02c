/**
 * What the schema has against a file, in the words of this product: what was expected, what was
 * found, which key was meant. Values are printed only for places where no secret belongs.
 */
import type * as z from "zod/mini";
import { configJsonSchema, configSchema, inertServerKeys } from "./config-schema.ts";
import type { ConfigFile } from "./config-schema.ts";
import { placeName, valueAt } from "./config-document.ts";
import type { ConfigPath, Finding } from "./config-document.ts";
import { isOpenPlace } from "./source-excerpt.ts";
import { knownKeysAt, suggestKey } from "./suggest-key.ts";

type Issue = z.core.$ZodIssue;

export type SchemaResult =
  | { readonly ok: true; readonly file: ConfigFile }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Checks a plain JSON value, once, so that compiling the check would cost more than it saves. */
export function checkSchema(value: unknown): SchemaResult {
  const result = configSchema.safeParse(value, { jitless: true });
  if (result.success) return { ok: true, file: result.data };
  const findings = result.error.issues.flatMap((issue) => issueFindings(value, issue, []));
  return { ok: false, findings: withoutMeantKeys(findings) };
}

interface SchemaFinding extends Finding {
  /** Pointer-like name of the key that an unknown key probably meant. */
  readonly meant?: string;
  readonly missing?: string;
}

/** A key that is missing because it is misspelt is said once. */
function withoutMeantKeys(findings: readonly SchemaFinding[]): readonly Finding[] {
  const meant = new Set(findings.flatMap((finding) => finding.meant ?? []));
  return findings.filter((finding) => finding.missing === undefined || !meant.has(finding.missing));
}

function issueFindings(value: unknown, issue: Issue, base: ConfigPath): readonly SchemaFinding[] {
  const path = [...base, ...issue.path.map((segment) => toSegment(segment))];
  const found = valueAt(value, path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(path, key));
    case "invalid_union":
      if (issue.discriminator !== undefined && !("matches" in issue)) {
        return [wrongVariant(path, found, issue.options ?? [])];
      }
      return unionFindings(value, issue.errors, path);
    case "invalid_key":
      return [keyFinding(path, issue.issues[0]?.message ?? "expected another key")];
    case "invalid_type":
      if (found === undefined) return [missingKey(path, typeNames[issue.expected])];
      return [{ path, message: `${at(path)}expected ${expected(issue)}, ${foundAs(path, found)}` }];
    case "invalid_value":
      return [wrongValue(path, found, issue.values)];
    case "too_small":
    case "too_big":
      return [{ path, message: `${at(path)}expected ${boundOf(issue)}, ${foundAs(path, found)}` }];
    case "invalid_format":
      return [{ path, message: `${at(path)}${issue.message}, ${foundAs(path, found)}` }];
    case "not_multiple_of":
    case "invalid_element":
    case "custom":
      return [{ path, message: `${at(path)}${begunSmall(issue.message)}` }];
  }
}

/** What a message quotes stays as it is written. */
function begunSmall(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1);
}

/** Only the branch whose type fits says what is wrong; where none fits, all types are named. */
function unionFindings(
  value: unknown,
  branches: readonly (readonly Issue[])[],
  path: ConfigPath,
): readonly SchemaFinding[] {
  const fitting = branches.find((issues) => issues.every((issue) => !isWrongType(issue)));
  if (fitting !== undefined) return fitting.flatMap((issue) => issueFindings(value, issue, path));
  const types = branches.flatMap((issues) => issues.flatMap((issue) => typeOf(issue) ?? []));
  if (valueAt(value, path) === undefined) return [missingKey(path, types.join(" or "))];
  const found = foundAs(path, valueAt(value, path));
  return [{ path, message: `${at(path)}expected ${types.join(" or ")}, ${found}` }];
}

/** A union whose members differ in one key: the file names a member that there is not, or none. */
function wrongVariant(
  path: ConfigPath,
  found: unknown,
  options: readonly unknown[],
): SchemaFinding {
  return found === undefined ? missingKey(path, oneOf(options)) : wrongValue(path, found, options);
}

function wrongValue(path: ConfigPath, found: unknown, values: readonly unknown[]): SchemaFinding {
  const words = values.filter((value) => typeof value === "string");
  // Names of algorithms and versions differ by a digit and mean something else.
  const isWord = typeof found === "string" && !/\d/.test(found);
  const meant = isWord ? suggestKey(found, words) : undefined;
  const hint = meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
  const message = `${at(path)}expected ${oneOf(values)}, ${foundAs(path, found)}${hint}`;
  return { path, message };
}

function unknownKey(path: ConfigPath, key: string): SchemaFinding {
  const inert = new Set<string>(inertServerKeys);
  const known = knownKeysAt(configJsonSchema(), path).filter((name) => !inert.has(name));
  const suggestion = suggestKey(key, known);
  const place = { path: [...path, key], atKey: true };
  const message = `unknown key ${JSON.stringify(key)} ${placeName(path)}`;
  if (suggestion === undefined) {
    return { ...place, message: `${message}; known keys: ${known.join(", ")}` };
  }
  return {
    ...place,
    message: `${message}; did you mean ${JSON.stringify(suggestion)}?`,
    meant: JSON.stringify([...path, suggestion]),
  };
}

function missingKey(path: ConfigPath, type: string | undefined): SchemaFinding {
  const key = path.at(-1);
  const parent = path.slice(0, -1);
  const message = `missing key ${JSON.stringify(key)} ${placeName(parent)}; expected ${type ?? "a value"}`;
  return { path: parent, message, missing: JSON.stringify(path) };
}

function keyFinding(path: ConfigPath, message: string): SchemaFinding {
  const key = String(path.at(-1));
  const folded = key
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 32);
  const hint = folded === "" ? "" : `; ${JSON.stringify(folded)} would do`;
  const place = placeName(path.slice(0, -1));
  return { path, atKey: true, message: `name ${JSON.stringify(key)} ${place}: ${message}${hint}` };
}

const typeNames: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};

function expected(issue: Issue & { readonly expected: string }): string {
  return typeNames[issue.expected] ?? issue.expected;
}

function isWrongType(issue: Issue): boolean {
  return issue.code === "invalid_type" && issue.path.length === 0;
}

function typeOf(issue: Issue): string | undefined {
  return issue.code === "invalid_type" ? typeNames[issue.expected] : undefined;
}

function oneOf(values: readonly unknown[]): string {
  const shown = values.map((value) => JSON.stringify(value)).join(", ");
  return values.length === 1 ? shown : `one of ${shown}`;
}

function boundOf(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const [word, limit] =
    issue.code === "too_small" ? ["at least", issue.minimum] : ["at most", issue.maximum];
  if (issue.origin !== "string") return `${word} ${limit}`;
  return issue.code === "too_small" ? "a string that is not empty" : `${word} ${limit} characters`;
}

function foundAs(path: ConfigPath, value: unknown): string {
  const shown = typeof value === "string" || typeof value === "number";
  if (shown && isOpenPlace(path)) return `found ${JSON.stringify(value).slice(0, 80)}`;
  if (value === "") return "found an empty string";
  if (value === null) return "found null";
  if (Array.isArray(value)) return "found a list";
  if (typeof value === "boolean") return `found ${value}`;
  return `found ${typeNames[typeof value] ?? typeof value}`;
}

function at(path: ConfigPath): string {
  return path.length === 0 ? "" : `${path.join(".")}: `;
}

function toSegment(segment: PropertyKey): string | number {
  return typeof segment === "symbol" ? String(segment) : segment;
}
