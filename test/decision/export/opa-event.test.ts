import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { encodeRecord } from "../../../src/decision/encode-record.ts";
import { opaEvent } from "../../../src/decision/export/opa-event.ts";
import { firstLink } from "../../../src/decision/integrity/chain-link.ts";
import { envelop } from "../../../src/decision/integrity/envelope.ts";
import type { AdmissionRecord } from "../../../src/contract/record.ts";
import { admission, outcome } from "../sample-records.ts";

const fixtures = fileURLToPath(new URL("../../fixtures", import.meta.url));
const writer = "01a20000-0000-7000-8000-000000000000";
const decisionId = "01a20000-0000-7000-8000-000000000001";

function written(changes: Partial<AdmissionRecord> = {}): string {
  const record = admission({ decisionId, timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678), ...changes });
  const head = { seq: 0, link: firstLink(writer) };
  return envelop(writer, head, encodeRecord(record, { id: writer, version: "0.1.0" })).text;
}

test("an event is, member by member, the one that OPA's own reader is shown", () => {
  const ndBuiltinCacheJson = '{"time.now_ns":{"[]":1767323045678000000}}';
  const lines = [written(), written({ ndBuiltinCacheJson })].map(opaEvent);
  const golden = readFileSync(join(fixtures, "decision-log.jsonl"), "utf8");
  expect(`${lines.join("\n")}\n`).toBe(golden);
});

test("an event keeps the digits of long numbers and members that are there twice", () => {
  const inputJson = '{"a":12345678901234567890.10, "b":[1.50,{"c":"}\\""}], "a":1}';
  expect(opaEvent(written({ inputJson }))).toContain(`"input":${inputJson},`);
});

test("an event says what was masked and erased", () => {
  const text = `${written().slice(0, -1)},"masked":["/input/action/args/a"],"erased":["/input/b"]}`;
  const event: unknown = JSON.parse(opaEvent(text) ?? "");
  expect(event).toMatchObject({ masked: ["/input/action/args/a"], erased: ["/input/b"] });
});

test("what is no decision, or no record, is no event", () => {
  const { text } = encodeRecord(outcome(decisionId), {});
  expect(opaEvent(text)).toBeUndefined();
  expect(opaEvent("[]")).toBeUndefined();
  expect(opaEvent('{"kind":"admission"')).toBeUndefined();
  expect(opaEvent('{"kind":"admission","input":{broken}}')).toBeUndefined();
});
