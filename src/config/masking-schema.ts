/**
 * What is said about masking the decision record: its shape, what weakens it, and how the rest of the
 * gateway reads it.
 */
import * as z from "zod/mini";
import type { DetectorKind } from "../contract/detector-kind.ts";
import { detectorKinds } from "../contract/detector-kind.ts";
import { valueAt } from "./config-document.ts";
import type { ConfigPath } from "./config-document.ts";
import type { MaskingConfig } from "./decisions-config.ts";

const usualKinds: readonly DetectorKind[] = ["credential", "private_key", "payment_card"];
const neededKinds: readonly DetectorKind[] = ["credential", "private_key"];
/** Whoever can guess the key can try values against what stands for them. */
const leastKey = 16;
const sealingKey = /^\s*(?:[0-9a-fA-F]{64}|[A-Za-z0-9+/_-]{43}=?)\s*$/;

const pointer = z
  .string()
  .check(
    z.maxLength(1024),
    z.regex(
      /^\/(?:input|result|nd_builtin_cache)(?:\/(?:[^~/]|~[01])+)+$/,
      "expected a JSON pointer below /input, /result or /nd_builtin_cache, such as /input/action/args/password",
    ),
  );

export const maskingSchema = z.strictObject({
  paths: z
    ._default(z.array(pointer).check(z.maxLength(256)), [])
    .check(z.describe("JSON pointers into the record; * stands for any one name")),
  detectors: z
    ._default(z.array(z.enum(detectorKinds)), [...usualKinds])
    .check(z.describe("Kinds that are masked wherever they are found")),
  schema: z
    ._default(z.boolean(), true)
    .check(z.describe("Masks arguments that their tool calls writeOnly or a password")),
  key: z
    .optional(z.string().check(z.minLength(leastKey)))
    .check(z.describe("Makes equal values equal; default: made once in the state folder")),
  unmask_key: z
    .optional(
      z.string().check(
        z.minLength(1),
        z.refine(
          (key) => sealingKey.test(key),
          'expected 32 bytes, hexadecimal or base64, as "openssl rand -hex 32" makes them',
        ),
      ),
    )
    .check(z.describe("32 bytes, hexadecimal or base64; without it nothing can be unmasked")),
});

const detectorsPath: ConfigPath = ["decisions", "masking", "detectors"];

/** Kinds that are left out and that only `trial` may leave out, with their place. */
export function unmaskedKinds(
  value: unknown,
): readonly { readonly path: ConfigPath; readonly kind: DetectorKind }[] {
  const listed = valueAt(value, detectorsPath);
  if (!Array.isArray(listed)) return [];
  const missing = neededKinds.filter((kind) => !listed.includes(kind));
  return missing.map((kind) => ({ path: detectorsPath, kind }));
}

/** As the gateway reads it. */
export function resolveMasking(masking: z.output<typeof maskingSchema>): MaskingConfig {
  const { paths, detectors, schema: usesSchema, key, unmask_key: unmaskKey } = masking;
  return { paths, detectors, usesSchema, key, unmaskKey };
}
