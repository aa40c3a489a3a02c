/**
 * A mask as the gateway opens it, with the real detectors, for the tests of masking.
 */
import { randomBytes } from "node:crypto";
import type { AdmissionRecord, DecisionRecord } from "../../../src/contract/record.ts";
import { isRecord } from "../../../src/contract/json.ts";
import { encodeRecord } from "../../../src/decision/encode-record.ts";
import { MaskTokens } from "../../../src/decision/masking/mask-token.ts";
import { RecordMask } from "../../../src/decision/masking/record-mask.ts";
import type { RecordMaskOptions } from "../../../src/decision/masking/record-mask.ts";
import { findSensitive } from "../../../src/policy/input/detect/find-sensitive.ts";
import { kindsIn } from "../../../src/policy/input/detect/kinds-in.ts";
import { admission } from "../sample-records.ts";

export const detectors = { find: findSensitive, kindsIn };
export const token = /^masked:hmac:[0-9a-f]{32}$/;

/** A mask with a key of its own. */
export function openMask(options: Partial<RecordMaskOptions> = {}): RecordMask {
  return new RecordMask({
    tokens: new MaskTokens(randomBytes(32)),
    detectors,
    kinds: ["credential", "private_key", "payment_card"],
    paths: [],
    usesSchema: true,
    secrets: [],
    recipients: [],
    monotonicMs: () => performance.now(),
    ...options,
  });
}

/** What a call with these arguments is recorded as. */
export function called(args: object, changes: Partial<AdmissionRecord> = {}): AdmissionRecord {
  const inputJson = JSON.stringify({ version: 1, phase: "call", action: { tool: "t", args } });
  return admission({ inputJson, ...changes });
}

/** The text of a masked record, and the record in it. */
export function masked(mask: RecordMask, record: DecisionRecord) {
  const encoded = encodeRecord(record, { id: "w" });
  const { text, header } = mask.mask(record, encoded);
  const event: unknown = JSON.parse(text);
  if (!isRecord(event)) throw new Error("expected a record");
  return { text, header, event, before: encoded };
}

/** Follows names into a value. */
export function at(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>((found, name) => {
    if (Array.isArray(found)) return found[Number(name)];
    return isRecord(found) ? found[name] : undefined;
  }, value);
}
