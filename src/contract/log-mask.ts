/**
 * What a server's bundle wants hidden of its server's calls, as its manifest declares it
 * (`metadata.masks`): the members of OPA's `data.system.log.mask`, a path or an object with `op`.
 * Read once and strictly, when a bundle is built and when it is opened.
 */
import * as z from "zod/mini";
import { messageOf } from "../errors.ts";
import type { Json } from "./json.ts";

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
/** Arguments and results of the bundle's own server, and nothing else of a record. */
const ownPath = /^\/input\/(?:action\/(?:args|input_responses|message|task)|result)\/./;
const pointerShape = /^(?:\/(?:[^~/]|~[01])+)+$/;

const path = z
  .string()
  .check(
    z.maxLength(1024),
    z.regex(pointerShape, "expected a JSON pointer, such as /input/action/args/password"),
    z.regex(ownPath, "expected something below /input/action/args or /input/result"),
  );
const scalar = z.union([z.null(), z.boolean(), z.number(), z.string().check(z.maxLength(256))]);
const masks = z
  .array(
    z.union([
      path,
      z.strictObject({
        op: z.enum(["remove", "upsert"]),
        path,
        value: z.optional(scalar),
      }),
    ]),
  )
  .check(z.maxLength(maxMasks));

/** Reads `metadata.masks`; none where nothing is declared. */
export function readLogMasks(declared: unknown): LogMasksReading {
  if (declared === undefined) return { ok: true, masks: [] };
  try {
    const result = masks.safeParse(declared);
    if (result.success) return { ok: true, masks: result.data.map(maskOf) };
    const [issue] = result.error.issues;
    const at = issue?.path.map(String) ?? [];
    const expected = 'expected paths, or objects with op "remove" or "upsert" and a path, below';
    const message = `${expected} /input/action/args or /input/result`;
    return { ok: false, path: at, message };
  } catch (thrown) {
    return { ok: false, path: [], message: messageOf(thrown) };
  }
}

/** The names of a JSON pointer (RFC 6901). */
export function pointerNames(pointer: string): readonly string[] {
  const names = pointer.split("/").slice(1);
  return names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function maskOf(declared: z.output<typeof masks>[number]): LogMask {
  if (typeof declared === "string") return { op: "remove", path: pointerNames(declared) };
  return { op: declared.op, path: pointerNames(declared.path), value: declared.value };
}
