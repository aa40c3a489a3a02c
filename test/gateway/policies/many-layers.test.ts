/**
 * Any number of layers of each kind: the second of a kind counts like the first.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { legacyClient, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";
import type { TestLayer } from "./open-layers.ts";
import { openLayers } from "./open-layers.ts";

const patience = { timeout: 120_000 };
const kinds = ["identity", "workflow", "compliance", "overrides"] as const;
const denying = (kind: TestLayer["kind"], code: string): TestLayer => {
  return { kind, rego: `deny contains "${code}"` };
};

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

describe("two layers of one kind", patience, () => {
  test("are both asked, whatever the kind, and both deny", async () => {
    const names = kinds.flatMap((kind) => [`${kind}1`, `${kind}2`]);
    const layers = kinds.flatMap((kind) => [
      [`${kind}1`, denying(kind, `${kind}1`)] as const,
      [`${kind}2`, denying(kind, `${kind}2`)] as const,
    ]);
    const gateway = await openLayers(policies, Object.fromEntries(layers));
    expect(readReply(await gateway.call("crm__get"))).toMatchObject({ isError: true });
    expect(gateway.admissions.at(-1)?.answer.reasons).toEqual(names);
  });

  test("both say where an agent may be", async () => {
    const within = (server: string, tool: string): TestLayer => ({
      kind: "identity",
      rego: `capabilities := {"servers": ["${server}"], "tools": ["${tool}"], "scopes": ["*"]}`,
    });
    const gateway = await openLayers(policies, {
      one: within("*", "get"),
      two: within("crm", "*"),
    });
    const { items } = await gateway.gateway.list(legacyClient(), "tools");
    expect(items.map(({ name }) => name)).toEqual(["crm__get"]);
    expect(await gateway.call("mail__get")).toMatchObject({ kind: "error", code: -32_602 });
    expect(await gateway.call("crm__put")).toMatchObject({ kind: "error", code: -32_602 });
  });

  test("both waive", async () => {
    const rules: TestLayer = {
      kind: "compliance",
      rego: ["a", "b"]
        .map(
          (id) =>
            `# METADATA\n# custom: {id: r.${id}, overridable: true}\ndeny contains {"rule": rego.metadata.rule()}`,
        )
        .join("\n\n"),
    };
    const waiving = (rule: string): TestLayer => ({
      kind: "overrides",
      rego: `waive contains ${JSON.stringify({
        bundle: "rules",
        rule,
        justification: "agreed",
        expires: "2999-01-01T00:00:00Z",
      })}`,
    });
    const layers = { rules, one: waiving("r.a"), two: waiving("r.b") };
    const gateway = await openLayers(policies, layers);
    expect(readReply(await gateway.call("crm__get"))).not.toHaveProperty("isError");
    expect(gateway.admissions.at(-1)?.waivers.used.map(({ rule }) => rule)).toEqual(["r.a", "r.b"]);
  });
});
