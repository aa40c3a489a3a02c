import { expect, test } from "vitest";
import { encodeRecord } from "../../src/decision/encode-record.ts";
import { emptyOutput } from "../../src/contract/layer.ts";
import type { RuleMatch } from "../../src/contract/layer.ts";
import { admission, outcome } from "./support.ts";

const labels = { id: "writer", version: "0.1.0" };
const id = "01a20380-09b5-74ad-aae8-b1dea6c5b504";

const match: RuleMatch = {
  rule: "compliance.egress",
  code: "customer_data_egress",
  title: "No egress",
  description: undefined,
  severity: "high",
  remediation: "ask",
  appeal: undefined,
  alternatives: ["crm__get_customer"],
  overridable: true,
  disclose: "code",
  audit: true,
  owner: "cx",
  actions: [],
  message: "no",
  details: { count: 2 },
};

test("an admission is a superset of OPA's decision-log event", () => {
  const record = admission({ decisionId: id, timeMs: Date.UTC(2026, 10, 22, 13, 45, 0, 123) });
  const event: unknown = JSON.parse(encodeRecord(record, labels).text);
  expect(event).toMatchObject({
    decision_id: id,
    labels,
    bundles: { crm: { revision: "1.4.7", digest: "sha256:aa" } },
    path: "mcp_gateway/decision",
    input: { version: 1, phase: "call" },
    result: { allow: false, effect: "deny" },
    requested_by: "support-bot",
    timestamp: "2026-11-22T13:45:00.123000000Z",
    metrics: { timer_rego_query_eval_ns: 1_250_000, timer_server_handler_ns: 2_500_000 },
  });
  expect(event).toMatchObject({
    kind: "admission",
    tenant: "default",
    user: "alice",
    tool: "export_customers",
    exposed_name: "crm__export_customers",
    action_type: "tool_call",
    protocol_version: "2025-11-25",
    args_sha256: "sha256:00",
    waivers: { used: [], expired: [] },
    dropped: ["_meta/x"],
    posture: "strict",
  });
});

test("the input document is recorded byte for byte as policy judged it", () => {
  const inputJson = '{"z":1.50,"a":1e2,"text":"\\u0041\\ud83d\\ude00é","__proto__":{}}';
  expect(encodeRecord(admission({ inputJson }), labels).text).toContain(`"input":${inputJson},`);
});

test("a layer that answered is recorded in snake case, without what it did not say", () => {
  const layer = { name: "compliance", kind: "compliance" as const, revision: "1", digest: "d" };
  const approval = { ...match, approvers: ["cx"], channels: ["console"], ttlSeconds: 60 };
  const output = {
    ...emptyOutput,
    deny: [match],
    requireApproval: [approval],
    dataClasses: ["pii"],
  };
  const record = admission({ layers: [{ ok: true, layer, output }] });
  const event: { layers?: unknown } = JSON.parse(encodeRecord(record, labels).text);
  expect(event.layers).toEqual([
    {
      ...layer,
      deny: [expect.objectContaining({ rule: "compliance.egress", details: { count: 2 } })],
      require_approval: [expect.objectContaining({ approvers: ["cx"], ttl_seconds: 60 })],
      data_classes: ["pii"],
    },
  ]);
});

test("a layer that failed is recorded with its code and message", () => {
  const event: { layers?: unknown } = JSON.parse(encodeRecord(admission(), labels).text);
  expect(event.layers).toEqual([
    expect.objectContaining({ name: "crm", error: { code: "policy_error", message: "broken" } }),
  ]);
});

test("an outcome is recorded with the digest and size of the result and its latency", () => {
  const record = outcome(id, { timeMs: 0, outcome: "tool_error" });
  expect(JSON.parse(encodeRecord(record, labels).text)).toEqual({
    kind: "outcome",
    decision_id: id,
    timestamp: "1970-01-01T00:00:00.000000000Z",
    outcome: "tool_error",
    result_sha256: "sha256:11",
    result_bytes: 42,
    metrics: { timer_tool_call_ns: 12_500_000 },
  });
});

test("what builtins answered by chance is OPA's nd_builtin_cache, digit by digit, and else absent", () => {
  const ndBuiltinCacheJson =
    '{"time.now_ns":{"[]":1764000000123000001},"rand.intn":{"[\\"die\\", 6]":4}}';
  const text = encodeRecord(admission({ ndBuiltinCacheJson }), labels).text;
  expect(text).toContain(`,"nd_builtin_cache":${ndBuiltinCacheJson},`);
  expect(JSON.parse(text)).toMatchObject({
    nd_builtin_cache: { "rand.intn": { '["die", 6]': 4 } },
  });
  expect(JSON.parse(encodeRecord(admission(), labels).text)).not.toHaveProperty("nd_builtin_cache");
});

test("an outcome has what was done for obligations and why it was withheld, where there is any", () => {
  const obligations = [{ id: "no_mail", type: "redact", changed: 2 }];
  const withheld = ["result_withheld"];
  const plain: unknown = JSON.parse(encodeRecord(outcome(id), labels).text);
  expect(plain).not.toHaveProperty("obligations");
  expect(plain).not.toHaveProperty("withheld");
  const record = { ...outcome(id), obligations, withheld };
  const told: unknown = JSON.parse(encodeRecord(record, labels).text);
  expect(told).toMatchObject({ obligations, withheld });
});
