import { describe, expect, it } from "vitest";
import type { LayerKind } from "../../../src/contract/bundle.ts";
import { layerKinds } from "../../../src/contract/bundle.ts";
import type { Json } from "../../../src/contract/json.ts";
import { gatewayCodes } from "../../../src/contract/layer.ts";
import type { LayerOutput } from "../../../src/contract/layer.ts";
import { readLayerOutput } from "../../../src/policy/engine/read-layer-output.ts";

function read(decision: Json, kind: LayerKind = "server") {
  const layer = { kind, policyPackage: "mcp.crm" };
  return readLayerOutput(JSON.stringify([{ result: decision }]), layer);
}

function output(decision: Json, kind: LayerKind = "server"): LayerOutput {
  const reading = read(decision, kind);
  if (!reading.ok) throw new Error(reading.message);
  return reading.output;
}

function problem(decision: Json, kind: LayerKind = "server"): string {
  const reading = read(decision, kind);
  return reading.ok ? "" : `${reading.code}: ${reading.message}`;
}

describe("an element of a rule", () => {
  it("may be a code", () => {
    expect(output({ deny: ["too_large"] }).deny).toMatchObject([
      { rule: "mcp.crm.deny", code: "too_large", disclose: "text", overridable: false },
    ]);
  });

  it("may be an object with a code or a message, and further members are details", () => {
    const { deny } = output({ deny: [{ code: "c", msg: "no", limit: 3 }, { msg: "conftest" }] });
    expect(deny).toMatchObject([
      { rule: "mcp.crm.deny", code: "c", message: "no", details: { limit: 3 } },
      { rule: "mcp.crm.deny", code: "mcp.crm.deny", message: "conftest", details: undefined },
    ]);
  });

  it("may be the metadata of its rule, which is then read whole", () => {
    const custom = {
      id: "crm.id",
      code: "crm_code",
      severity: "high",
      remediation: "ask",
      appeal: "https://tickets.example/",
      alternatives: ["crm__get"],
      overridable: true,
      disclose: "code",
      audit: true,
      owner: "crm-team",
      actions: ["resource_read"],
      reviewed_by: "somebody",
    };
    const rule = { title: "T", description: "D", scope: "rule", custom };
    expect(output({ deny: [{ rule, details: [1] }] }).deny).toEqual([
      {
        rule: "crm.id",
        code: "crm_code",
        title: "T",
        description: "D",
        severity: "high",
        remediation: "ask",
        appeal: "https://tickets.example/",
        alternatives: ["crm__get"],
        overridable: true,
        disclose: "code",
        audit: true,
        owner: "crm-team",
        actions: ["resource_read"],
        message: undefined,
        details: [1],
      },
    ]);
    expect(output({ deny: [{ rule: {} }] }).deny).toMatchObject([
      { rule: "mcp.crm.deny", code: "mcp.crm.deny" },
    ]);
  });

  it("names the terms of an approval itself or in its rule's metadata", () => {
    const rule = { custom: { approvers: ["group:leads"], channels: ["console"], ttl_seconds: 60 } };
    const { requireApproval } = output({
      require_approval: [{ rule, approvers: ["user:ann"] }, "plain"],
    });
    expect(requireApproval).toMatchObject([
      { approvers: ["user:ann"], channels: ["console"], ttlSeconds: 60 },
      { code: "plain", approvers: [], channels: [], ttlSeconds: undefined },
    ]);
  });

  it.each<[string, Json]>([
    ["a number", 1],
    ["null", null],
    ["true", true],
    ["an empty string", ""],
    ["an array", ["a"]],
    ["an object that says nothing", { limit: 3 }],
    ["a rule that is no object", { rule: "crm.id" }],
    ["metadata of the wrong type", { rule: { custom: ["id"] } }],
    ["a code of the wrong type", { code: 7 }],
    ["alternatives that are no list", { rule: { custom: { alternatives: "crm__get" } } }],
    ["overridable as a string", { rule: { custom: { overridable: "true" } } }],
    ["an unknown disclosure", { rule: { custom: { disclose: "some" } } }],
  ])("is refused when it is %s", (_, element) => {
    for (const name of ["deny", "allow", "warn", "hide", "require_approval"]) {
      expect(problem({ [name]: [element] })).toMatch(/^policy_error: \w+\[0\].*expected/u);
    }
  });

  it("is refused when it lives for no time", () => {
    expect(problem({ require_approval: [{ code: "a", ttl_seconds: 0 }] })).toContain("ttl_seconds");
    expect(problem({ require_approval: [{ code: "a", ttl_seconds: "60" }] })).toContain("seconds");
  });

  it.each(gatewayCodes)("is refused when it uses the gateway's own code %s", (code) => {
    expect(problem({ deny: [code] })).toContain("one of the gateway's codes");
    expect(problem({ deny: [{ rule: { custom: { code } } }] })).toContain("gateway's codes");
  });

  it("is refused when its id is the gateway's own", () => {
    const rule = { custom: { id: "gateway.policy_error" } };
    expect(problem({ deny: [{ rule }] })).toContain("gateway's codes");
  });
});

describe("a decision", () => {
  it("of no rules at all is empty, and of a result set without results is none", () => {
    expect(Object.values(output({})).flat()).toEqual([undefined]);
    expect(readLayerOutput("[]", { kind: "server", policyPackage: "p" })).toMatchObject({
      ok: false,
      code: "no_decision",
    });
  });

  it.each<[string, string]>([
    ["no json", "allow"],
    ["no result set", '{"allow":true}'],
    ["no result", "[{}]"],
    ["two results", '[{"result":{}},{"result":{}}]'],
  ])("is refused when the policy's text holds %s", (_, text) => {
    const reading = readLayerOutput(text, { kind: "server", policyPackage: "p" });
    expect(reading).toMatchObject({ ok: false, code: "policy_error" });
  });

  it.each<[string, Json]>([
    ["null", null],
    ["a number", 1],
    ["a string", "allow"],
    ["a list", ["allow"]],
    ["an allow that is a string", { allow: "true" }],
    ["an allow that is a number", { allow: 1 }],
    ["an allow that is null", { allow: null }],
    ["an allow that is an object", { allow: { x: true } }],
    ["a rule that nobody knows", { denies: [] }],
    ["deny as a boolean", { deny: true }],
    ["classes that are no strings", { data_classes: [1] }],
    ["labels that are no list", { labels: "a" }],
    ["an obligation without a type", { obligations: [{ id: "a" }] }],
    ["an obligation with more than it may have", { obligations: [{ id: "a", type: "b", x: 1 }] }],
  ])("is refused when it is %s", (_, decision) => {
    expect(problem(decision)).toMatch(/^policy_error: /u);
  });

  it("is refused when it is deeper than a record can be", () => {
    const nested = (depth: number): Json => (depth === 0 ? 1 : [nested(depth - 1)]);
    const details = (depth: number): Json => ({ deny: [{ code: "deep", details: nested(depth) }] });
    expect(problem(details(500))).toBe("");
    expect(problem(details(512))).toBe(
      "policy_error: result: expected at most 512 levels of nesting, found more",
    );
  });

  it("tells nothing of the values in what it says about them", () => {
    expect(problem({ allow: "s3cret", deny: ["x"] })).not.toContain("s3cret");
    expect(problem({ s3cret: 1 })).not.toContain("s3cret");
  });
});

describe("a kind of layer", () => {
  it.each(layerKinds)("%s grants, limits or waives only what is its own", (kind) => {
    const grants = problem({ allow: ["a"] }, kind) === "";
    const limits = { capabilities: { servers: [], tools: [], scopes: [] } };
    expect(grants).toBe(kind === "server");
    expect(problem({ allow: [] }, kind) === "").toBe(kind === "server");
    expect(problem(limits, kind) === "").toBe(kind === "identity");
    expect(problem({ waive: [] }, kind) === "").toBe(kind === "overrides");
    expect(problem({ deny: ["a"], warn: ["b"] }, kind)).toBe("");
    expect(problem(true, kind) === "").toBe(kind === "server");
  });

  it.each<Json>([{ servers: [], tools: [] }, { servers: "*", tools: [], scopes: [] }, [], null])(
    "identity is refused with capabilities that do not say all: %j",
    (capabilities) => {
      expect(problem({ capabilities }, "identity")).toContain("policy_error: capabilities");
    },
  );

  const waiver = { bundle: "a", rule: "b", justification: "c", expires: "2030-01-01T00:00:00Z" };

  it("overrides says what is wrong with a waiver that does not say all, and keeps its denials", () => {
    expect(output({ waive: [waiver] }, "overrides").waive).toEqual([
      { ...waiver, ticket: undefined },
    ]);
    for (const name of Object.keys(waiver)) {
      const less = Object.fromEntries(Object.entries(waiver).filter(([key]) => key !== name));
      for (const broken of [less, { ...waiver, [name]: 1 }, { ...waiver, [name]: "" }]) {
        const read = output({ waive: [broken, waiver], deny: ["stop"] }, "overrides");
        expect(read.deny).toHaveLength(1);
        expect(read.waive).toMatchObject([{ [name]: "", problem: expect.anything() }, waiver]);
        expect(read.waive[0]?.problem).toContain(`waiver.${name}: expected`);
        expect(read.waive[1]).not.toHaveProperty("problem");
      }
    }
  });

  it.each<[string, Json, string]>([
    [
      "a blank justification",
      { ...waiver, justification: " \n" },
      "justification: expected a reason",
    ],
    ["a day for an end", { ...waiver, expires: "2030-01-01" }, "expires: expected a moment"],
    ["an end without its offset", { ...waiver, expires: "2030-01-01T00:00:00" }, "expires"],
    ["a word for an end", { ...waiver, expires: "never" }, "expires: expected a moment"],
    ["a number for a ticket", { ...waiver, ticket: 7 }, "ticket: expected a string"],
    ["a member that nobody knows", { ...waiver, until: "2030" }, "expected members"],
    ["no members at all", "compliance.rule", "expected an object"],
  ])("overrides reads a waiver with %s as void, and repeats none of it", (_, broken, found) => {
    const [read] = output({ waive: [broken] }, "overrides").waive;
    expect(read?.problem).toContain(found);
    expect(read?.problem).not.toContain("2030");
  });
});
