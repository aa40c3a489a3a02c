/**
 * "This class of data only to these models in these regions", as a compliance layer: its own tests
 * pass, and a gateway hands it the model and the region that it asks for.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../../src/contract/json.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { readPolicyFolder } from "../../src/rego/read-policy-folder.ts";
import { openLayers } from "../gateway/policies/open-layers.ts";
import { legacyClient, principal } from "../gateway/open-gateway.ts";
import type { TestPolicies } from "../gateway/test-policies.ts";
import { compileTestPolicies } from "../gateway/test-policies.ts";
import { root } from "../support/gateway-process.ts";

const folder = join(root, "examples", "policy", "models");
const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

test("the policy is in order and its own tests pass", { timeout: 60_000 }, async () => {
  const sources = await readPolicyFolder(folder);
  expect(await toolchain.check(sources)).toMatchObject({ ok: true });
  const tested = await toolchain.test(sources);
  if (!tested.ok) throw new Error(JSON.stringify(tested.problems));
  expect(tested.value.tests.length).toBeGreaterThan(4);
  expect(tested.value.tests.filter(({ outcome }) => outcome !== "pass")).toEqual([]);
});

test(
  "a gateway tells it the agent's model and the server's region",
  { timeout: 60_000 },
  async () => {
    const rego = readFileSync(join(folder, "policy.rego"), "utf8")
      .replace(/^[\s\S]*?package org\.models\n/, "")
      .replaceAll("data.org.models.settings", "data.p.models.org.models.settings");
    const data: JsonObject = JSON.parse(readFileSync(join(folder, "data.json"), "utf8"));
    const server = { command: "none", cwd: "/", policy: "oci-layout:none:server" };
    const tools = { get: { data_classes: ["customer_data"] }, put: { data_classes: ["public"] } };
    const gateway = await openLayers(
      policies,
      { models: { kind: "compliance", rego, data } },
      {
        servers: {
          crm: { ...server, region: "eu-west", tools },
          mail: { ...server, region: "us-east", tools },
        },
      },
    );
    const reasons = async (name: string, model: string | null) => {
      const agent = { ...principal("alice").agent, model };
      await gateway.call(name, {
        client: legacyClient({ principal: principal("alice", { agent }) }),
      });
      return gateway.admissions.at(-1)?.answer.reasons;
    };
    expect(await reasons("crm__get", "vendor-eu-2")).toEqual([]);
    expect(await reasons("crm__get", "vendor-us-9")).toEqual(["model_not_agreed"]);
    expect(await reasons("crm__get", null)).toEqual(["model_not_agreed"]);
    expect(await reasons("mail__get", "vendor-eu-2")).toEqual(["region_not_agreed"]);
    expect(await reasons("mail__put", null)).toEqual([]);
  },
);
