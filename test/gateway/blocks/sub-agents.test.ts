/**
 * A blocked agent works through nobody else: whatever stands below it is stopped too.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { tool } from "../fake-server.ts";
import type { OpenGateway } from "../open-gateway.ts";
import { legacyClient, openGateway, principal } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const servers = { crm: { tools: [tool("get")] } };
const open = () => openGateway({ servers, policies });

async function block({ blocks }: Pick<OpenGateway, "blocks">, id: string) {
  await blocks.block({ subject: { kind: "agent", id }, by: "carol", reason: null }, undefined);
}

describe("a sub-agent", () => {
  test("is stopped with its parent", async () => {
    const gateway = open();
    await block(gateway, "planner");
    const { agent } = principal("alice");
    const child = principal("alice", { agent: { ...agent, parent: "planner" } });
    expect(gateway.blocks.stopOf(child)).toMatchObject({ block: { id: "planner" } });
    expect(gateway.blocks.stopOf(principal("alice"))).toBeUndefined();
  });

  test.each(["planner", "reader", "writer"])("is stopped with %s, further up", async (id) => {
    const settings = {
      agents: { planner: {}, reader: { parent: "planner" }, writer: { parent: "reader" } },
    };
    const gateway = openGateway({ servers, policies, settings });
    await block(gateway, id);
    const { agent } = principal("alice");
    const grandchild = principal("alice", { agent: { ...agent, parent: "writer" } });
    expect(gateway.blocks.stopOf(grandchild)).toMatchObject({ block: { id } });
    await gateway.call("crm__get", { client: legacyClient({ principal: grandchild }) });
    expect(gateway.servers["crm"]?.sent).toEqual([]);
    expect(gateway.blocks.stopOf(principal("alice"))).toBeUndefined();
  });
});
