/**
 * Whether `metadata.written_for.object` is a path that the input document can have. With one that it
 * cannot have every call is refused, since nothing stands there to be judged.
 */
import { knownKeysAt, suggestKey } from "../config/suggest-key.ts";
import { isRecord } from "../contract/json.ts";
import type { RegoProblem } from "./answers.ts";
import type { PolicySources } from "./create-rego-toolchain.ts";

/** The first step of the path that leads nowhere, as far as `schema` says what there is. */
export function writtenForProblems(
  { manifest }: PolicySources,
  schema: unknown,
): readonly RegoProblem[] {
  const said = manifest?.metadata?.["written_for"];
  const object = isRecord(said) ? said["object"] : undefined;
  if (typeof object !== "string") return [];
  const steps = object.split(".");
  const strayed = steps.findIndex((step, place) => {
    const known = knownKeysAt(schema, steps.slice(0, place));
    return known.length > 0 && !known.includes(step);
  });
  return strayed < 0 ? [] : [problemAt(steps, strayed, schema)];
}

function problemAt(steps: readonly string[], strayed: number, schema: unknown): RegoProblem {
  const known = knownKeysAt(schema, steps.slice(0, strayed));
  const step = steps[strayed] ?? "";
  const meant = suggestKey(step, known);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  const where = ["input", ...steps.slice(0, strayed)].join(".");
  const message = `metadata.written_for.object: expected one of ${known.join(", ")} below ${where}, found ${JSON.stringify(step)}${hint}`;
  return { code: "contract_dialect", message, file: ".manifest", row: 0, col: 0, details: [] };
}
