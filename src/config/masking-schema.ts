/**
 * What is said about masking the decision record: its shape, what weakens it, and how the rest of the
 * gateway reads it.
 */
import * as z from "zod/mini";
import type { DetectorKind } from "../contract/detector-kind.ts";
import { detectorKinds } from "../contract/detector-kind.ts";
import { isRecord } from "../contract/json.ts";
import { valueAt } from "./config-document.ts";
import type { ConfigPath, Finding } from "./config-document.ts";
import type { MaskingConfig } from "./decisions-config.ts";
import { openRecipientKey } from "./recipient-key.ts";
import { whyNoMaskPath } from "./mask-path.ts";

const usualKinds: readonly DetectorKind[] = ["credential", "private_key", "payment_card"];
const neededKinds: readonly DetectorKind[] = ["credential", "private_key"];
/** Whoever can guess the key can try values against what stands for them. */
const leastKey = 16;
/** Each adds to every record that hides something. */
const mostRecipients = 8;

const pointer = z.string().check(
  z.maxLength(1024),
  z.check(({ value, issues }) => {
    const message = whyNoMaskPath(value);
    if (message !== undefined) issues.push({ code: "custom", input: value, path: [], message });
  }),
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
  recipients: z
    ._default(z.array(z.string().check(z.minLength(1))), [])
    .check(
      z.describe("Public keys, X25519, that originals are sealed to; without one they are gone"),
    ),
});

const maskingPath: ConfigPath = ["decisions", "masking"];
const detectorsPath: ConfigPath = [...maskingPath, "detectors"];

/** Recipients that nothing can be sealed to, and the key of those who unmask, which gateways do not get. */
export function maskingFindings(value: unknown): readonly Finding[] {
  const masking = valueAt(value, maskingPath);
  if (!isRecord(masking)) return [];
  const { recipients } = masking;
  const listed = Array.isArray(recipients) ? recipients : [];
  const findings = listed.flatMap(recipientFindings);
  return Object.hasOwn(masking, "unmask_key") ? [...findings, keyForGateways()] : findings;
}

function recipientFindings(pem: unknown, index: number): readonly Finding[] {
  if (typeof pem !== "string" || pem === "") return [];
  const path = [...maskingPath, "recipients", index];
  const opened = openRecipientKey(pem);
  const many = `expected at most ${mostRecipients} public keys, found more`;
  if (opened.ok && index < mostRecipients) return [];
  return [{ path, message: `${path.join(".")}: ${opened.ok ? many : opened.message}` }];
}

function keyForGateways(): Finding {
  const path = [...maskingPath, "unmask_key"];
  const message =
    "decisions.masking: unmask_key is not read, since gateways could open with it what they seal; put the public key of whoever may unmask into recipients";
  return { path, atKey: true, message, covers: path };
}

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
  const { paths, detectors, schema: usesSchema, key, recipients } = masking;
  return { paths, detectors, usesSchema, key, recipients };
}
