/**
 * What a server's bundle wants hidden of its server's calls, as its manifest declares it
 * (`metadata.masks`): the members of OPA's `data.system.log.mask`, a path or an object with `op`.
 * Read once and strictly, when a bundle is built and when it is opened.
 */
import * as z from "zod/mini";
import type { Json } from "./json.ts";
import { isRecord } from "./json.ts";

/** One rule; what it names is hidden leaf by leaf. */
export interface LogMask {
  readonly op: "remove" | "upsert";
  /** Names below the record, `*` for any one of them. */
  readonly path: readonly string[];
  /** What stands there instead; `undefined`: a keyed hash. */
  readonly value?: Json | undefined;
}

export type LogMasksReading =
  | { readonly ok: true; readonly masks: readonly LogMask[] }
  /** `path` below `metadata.masks`. */
  | { readonly ok: false; readonly path: readonly string[]; readonly message: string };

const maxMasks = 256;
/** Of what was found instead. */
const maxShown = 120;
/** Arguments and results of the bundle's own server, and nothing else of a record. */
const ownPath = /^\/input\/(?:action\/(?:args|input_responses|message|task)|result)\/./;
const pointerShape = /^(?:\/(?:[^~/]|~[01])+)+$/;

const example = "such as /input/action/args/password";
const bare = `expected a JSON pointer, ${example}`;
const own =
  "expected something below /input/action/args, input_responses, message, task or /input/result";
const path = z
  .string(bare)
  .check(
    z.maxLength(1024, "expected at most 1024 characters"),
    z.regex(pointerShape, bare),
    z.regex(ownPath, own),
  );
const scalar = z.union(
  [
    z.null(),
    z.boolean(),
    z.number(),
    z.string().check(z.maxLength(256, "expected at most 256 characters")),
  ],
  "expected null, a boolean, a number or a text of at most 256 characters",
);
const members = {
  op: z.enum(["remove", "upsert"], 'expected "remove" or "upsert"'),
  path,
  value: z.optional(scalar),
};
const memberNames = "expected op, path and value only";
const rule = z.strictObject(members, memberNames);

/** Reads `metadata.masks`; none where nothing is declared. */
export function readLogMasks(declared: unknown): LogMasksReading {
  if (declared === undefined) return { ok: true, masks: [] };
  const isList = Array.isArray(declared) && declared.length <= maxMasks;
  if (!isList) return wrong([], `expected a list of at most ${maxMasks} masks`, declared);
  const read: LogMask[] = [];
  for (const [index, one] of declared.entries()) {
    const reading = readOne(one);
    if (!reading.ok) return { ...reading, path: [String(index), ...reading.path] };
    read.push(...reading.masks);
  }
  return { ok: true, masks: read };
}

function readOne(declared: unknown): LogMasksReading {
  if (typeof declared !== "string" && !isRecord(declared)) {
    return wrong([], `expected a path, ${example}, or an object with op and path`, declared);
  }
  const result = (typeof declared === "string" ? path : rule).safeParse(declared);
  if (result.success) return { ok: true, masks: [maskOf(result.data)] };
  const [issue] = result.error.issues;
  if (issue?.code === "unrecognized_keys") return wrong([], issue.message, issue.keys[0]);
  const at = issue?.path.map(String) ?? [];
  const [name] = at;
  const found = isRecord(declared) && name !== undefined ? declared[name] : declared;
  return wrong(at, issue?.message ?? bare, found);
}

function wrong(at: readonly string[], expected: string, found: unknown): LogMasksReading {
  return { ok: false, path: at, message: `${expected}, found ${described(found)}` };
}

/** A text as it stands there; what may be long by its kind. */
function described(found: unknown): string {
  if (found === undefined) return "none";
  if (Array.isArray(found)) return `a list of ${found.length}`;
  if (typeof found === "object" && found !== null) return "an object";
  const text = JSON.stringify(found);
  return text.length <= maxShown ? text : `${text.slice(0, maxShown)}…`;
}

/** The names of a JSON pointer (RFC 6901). */
export function pointerNames(pointer: string): readonly string[] {
  const names = pointer.split("/").slice(1);
  return names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function maskOf(declared: string | z.output<typeof rule>): LogMask {
  if (typeof declared === "string") return { op: "remove", path: pointerNames(declared) };
  return { op: declared.op, path: pointerNames(declared.path), value: declared.value };
}
