import { describe, expect, it } from "vitest";
import type { LayerKind } from "../../../src/contract/bundle.ts";
import type { Json } from "../../../src/contract/json.ts";
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

describe("a decision of a bundle that was not written for the gateway", () => {
  it("may be a boolean, alone or as allow beside other rules", () => {
    expect(output(true).allow).toMatchObject([{ rule: "mcp.crm.allow" }]);
    expect(output(false)).toMatchObject({ allow: [], deny: [] });
    expect(output({ allow: true, deny: ["x"] })).toMatchObject({
      allow: [{ rule: "mcp.crm.allow" }],
      deny: [{ code: "x" }],
    });
    expect(output({ allow: false, deny: [] }).allow).toEqual([]);
  });

  it("may have the shape of the gateway's own answer", () => {
    const decision = {
      allow: false,
      effect: "deny",
      reasons: ["a", "b"],
      remediation: "ask",
      metadata: { appeal_path: "https://x.example/", alternatives: ["c"] },
    };
    expect(output(decision)).toMatchObject({
      allow: [],
      deny: [
        { code: "a", remediation: "ask", appeal: "https://x.example/", alternatives: ["c"] },
        { code: "b" },
      ],
    });
  });

  it("may have the shape that Envoy is answered", () => {
    expect(output({ allowed: true })).toMatchObject({ allow: [{ rule: "mcp.crm.allow" }] });
    expect(output({ allowed: true, headers: { "x-role": "a" } })).toMatchObject({
      allow: [{ rule: "mcp.crm.allow" }],
      warn: [{ message: "Headers of the policy's answer are not passed on." }],
    });
    expect(output({ allowed: false, body: "no", http_status: 403 })).toMatchObject({
      allow: [],
      deny: [{ message: "no", details: { http_status: 403 } }],
    });
    expect(output({ allowed: false })).toMatchObject({ allow: [], deny: [] });
    expect(problem({ allowed: true, allow: true })).toContain("expected members");
    expect(problem({ allowed: "true" })).toContain("expected members");
    expect(problem({ allowed: true }, "compliance")).toContain("expected members");
  });

  it.each(["main/deny", "gatekeeper/violation"])("may be the set that %s is", (entrypoint) => {
    const ofSet = (decision: Json, kind: LayerKind = "server") => {
      const layer = { kind, policyPackage: "main", entrypoint, isAllowedByDefault: true };
      return readLayerOutput(JSON.stringify([{ result: decision }]), layer);
    };
    expect(ofSet(["Containers must not run as root", { msg: "no", details: [1] }])).toMatchObject({
      output: {
        deny: [
          { code: "main.deny", message: "Containers must not run as root" },
          { message: "no", details: [1] },
        ],
        allow: [{ rule: "gateway.default_allow" }],
      },
    });
    expect(ofSet(["no"], "compliance")).toMatchObject({ output: { deny: [{ message: "no" }] } });
    expect(ofSet([7])).toMatchObject({ ok: false, code: "policy_error" });
    expect(problem(["no"])).toContain("expected an object");
  });

  it("is granted by a default only where it does not speak of grants itself", () => {
    const byDefault = (decision: Json) => {
      const layer = { kind: "server", policyPackage: "mcp.crm", isAllowedByDefault: true } as const;
      const reading = readLayerOutput(JSON.stringify([{ result: decision }]), layer);
      return reading.ok ? reading.output.allow.map(({ rule }) => rule) : reading.code;
    };
    expect(byDefault({ deny: ["x"] })).toEqual(["gateway.default_allow"]);
    expect(byDefault({ allow: [], deny: [] })).toEqual([]);
    expect(byDefault({ allow: false })).toEqual([]);
    expect(byDefault({ allowed: false })).toEqual([]);
    expect(byDefault(false)).toEqual([]);
    expect(byDefault({ denies: [] })).toBe("policy_error");
    expect(output({ deny: [] }).allow).toEqual([]);
  });

  it("is refused when it contradicts itself or uses the gateway's codes", () => {
    expect(problem({ allow: true, effect: "deny" })).toContain("effect");
    expect(problem({ allow: false, reasons: ["no_policy"] })).toContain("gateway's codes");
  });
});
