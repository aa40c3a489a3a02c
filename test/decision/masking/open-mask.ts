/**
 * A mask as the gateway opens it, with the real detectors, for the tests of masking.
 */
import { randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { AdmissionRecord, DecisionRecord } from "../../../src/contract/record.ts";
import { isRecord } from "../../../src/contract/json.ts";
import { encodeRecord } from "../../../src/decision/encode-record.ts";
import { MaskTokens } from "../../../src/decision/masking/mask-token.ts";
import { RecordMask } from "../../../src/decision/masking/record-mask.ts";
import type { RecordMaskOptions } from "../../../src/decision/masking/record-mask.ts";
import { unmaskRecord as unmaskRecordOf } from "../../../src/decision/masking/sealed-originals.ts";
import type { RecordRow } from "../../../src/decision/masking/sealed-originals.ts";
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

/** The record with its originals; where no row is named, as the one that it says it is. */
export function unmaskRecord(
  record: Readonly<Record<string, unknown>>,
  key: KeyObject,
  row?: RecordRow,
): Readonly<Record<string, unknown>> {
  const { kind, decision_id: decisionId } = record;
  const said = { kind: textOf(kind), decisionId: textOf(decisionId) };
  return unmaskRecordOf(record, key, row ?? said);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
