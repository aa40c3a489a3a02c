/**
 * What is different between two definitions of a tool, leaf by leaf, for the person who decides
 * whether the new one may be pinned. The texts are a server's: print them with escapes.
 */
import { canonicalJson } from "../../contract/canonical-json.ts";
import { isRecord } from "../../contract/json.ts";
import type { Definition } from "./read-item.ts";

/** One difference; `undefined` where the definition has nothing at this place. */
export interface DefinitionChange {
  /** RFC 6901 pointer into the definition. */
  readonly pointer: string;
  /** JSON text. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** The differences, in the order of the pinned definition, then those that are new. */
export function diffDefinition(
  pinned: Definition,
  listed: Definition,
): readonly DefinitionChange[] {
  return diffValue("", pinned, listed);
}

function diffValue(pointer: string, before: unknown, after: unknown): readonly DefinitionChange[] {
  if (canonicalJson(before) === canonicalJson(after) && typeof before === typeof after) return [];
  const [old, now] = [membersOf(before), membersOf(after)];
  if (old === undefined || now === undefined || Array.isArray(before) !== Array.isArray(after)) {
    return [{ pointer, before: textOf(before), after: textOf(after) }];
  }
  const keys = new Set([...old.keys(), ...now.keys()]);
  return [...keys].flatMap((key) =>
    diffValue(`${pointer}/${escapePointer(key)}`, old.get(key), now.get(key)),
  );
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (!Array.isArray(value) && !isRecord(value)) return undefined;
  return new Map(Object.entries(value));
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
