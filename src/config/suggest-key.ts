/**
 * "Did you mean": the known key nearest to an unknown one, by edit distance with transpositions.
 * Which keys are known at a place is read from the JSON Schema of the configuration.
 */
import { isRecord } from "../contract/json.ts";
import type { ConfigPath } from "./config-document.ts";

/** Words of other tools for something that this file has under another name. */
const otherWords: Readonly<Record<string, string>> = {
  mcpservers: "servers",
  contextservers: "servers",
  environmentvariables: "env",
  bundle: "policy",
  database: "decisions",
};

/** The nearest candidate, or `undefined` where none is near enough to be meant. */
export function suggestKey(word: string, candidates: readonly string[]): string | undefined {
  const plain = fold(word);
  const exact = candidates.find((candidate) => fold(candidate) === plain);
  if (exact !== undefined) return exact;
  const nearest = candidates
    .map((candidate) => ({ candidate, distance: editDistance(plain, fold(candidate)) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .toSorted((left, right) => left.distance - right.distance)[0];
  if (nearest !== undefined) return nearest.candidate;
  return candidates.find((candidate) => candidate === otherWords[plain]);
}

/** Keys that a schema names for the object at a path; none where any key is welcome. */
export function knownKeysAt(schema: unknown, path: ConfigPath): readonly string[] {
  const found = path.reduce<readonly unknown[]>(
    (schemas, segment) => schemas.flatMap((one) => childSchemas(one, segment)),
    alternatives(schema),
  );
  return found.flatMap((one) =>
    isRecord(one) && isRecord(one["properties"]) ? Object.keys(one["properties"]) : [],
  );
}

function childSchemas(schema: unknown, segment: string | number): readonly unknown[] {
  if (!isRecord(schema)) return [];
  if (typeof segment === "number") return alternatives(schema["items"]);
  const properties = schema["properties"];
  if (isRecord(properties) && Object.hasOwn(properties, segment)) {
    return alternatives(properties[segment]);
  }
  return alternatives(schema["additionalProperties"]);
}

function alternatives(schema: unknown): readonly unknown[] {
  if (!isRecord(schema)) return [];
  const anyOf = schema["anyOf"] ?? schema["oneOf"];
  return Array.isArray(anyOf) ? anyOf.flatMap(alternatives) : [schema];
}

function fold(word: string): string {
  return word.replace(/[_\-\s]/g, "").toLowerCase();
}

/** Optimal string alignment distance. */
function editDistance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1];
      const options = [cell(rows, i - 1, j) + 1, (row[j - 1] ?? 0) + 1];
      options.push(cell(rows, i - 1, j - 1) + (same ? 0 : 1));
      const swapped = left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      if (i > 1 && j > 1 && swapped) options.push(cell(rows, i - 2, j - 2) + 1);
      row.push(Math.min(...options));
    }
    rows.push(row);
  }
  return cell(rows, left.length, right.length);
}

function cell(rows: readonly (readonly number[])[], row: number, column: number): number {
  return rows[row]?.[column] ?? 0;
}
