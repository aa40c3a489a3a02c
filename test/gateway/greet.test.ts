import { beforeAll, describe, expect, test } from "vitest";
import { tool } from "./fake-server.ts";
import { legacyClient, modernClient, openGateway } from "./open-gateway.ts";
import type { TestPolicies } from "./test-policies.ts";
import { compileTestPolicies } from "./test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const crm = {
  tools: [tool("get")],
  capabilities: { tools: {}, prompts: {}, tasks: { list: {}, requests: { tools: { call: {} } } } },
  instructions: "Ask for one customer at a time.",
};
const files = {
  era: "modern" as const,
  tools: [tool("read")],
  capabilities: {
    tools: {},
    resources: { subscribe: true },
    extensions: { "io.modelcontextprotocol/tasks": {}, "vendor/x": { a: 1 } },
  },
};

describe("the gateway's greeting", () => {
  test("is what its servers can do, and its own words before theirs", async () => {
    const { gateway } = openGateway({ servers: { crm, files }, policies });
    await gateway.ready;
    const { capabilities, instructions } = gateway.greet(legacyClient());
    expect(capabilities).toMatchObject({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      tasks: { list: {}, requests: { tools: { call: {} } } },
    });
    expect(capabilities).not.toHaveProperty("completions");
    expect(instructions).toMatch(/^Every request is checked by policy\./);
    expect(instructions).toContain("crm: Ask for one customer at a time.");
  });

  test("has tasks of a modern server for a modern client alone", async () => {
    const { gateway } = openGateway({ servers: { crm, files }, policies });
    await gateway.ready;
    const key = "io.modelcontextprotocol/tasks";
    const extensionsOf = (client = legacyClient()) =>
      Object(gateway.greet(client).capabilities["extensions"]);
    expect(extensionsOf()).toEqual({ "vendor/x": { a: 1 } });
    expect(extensionsOf(modernClient())).toHaveProperty([key]);
    expect(gateway.greet(modernClient()).capabilities).not.toHaveProperty("tasks");
  });

  test("is there at once: before any server answered, and from the last run", async () => {
    const first = openGateway({ servers: { crm, files }, policies });
    expect(first.gateway.greet(legacyClient()).capabilities).toMatchObject({ prompts: {} });
    await first.gateway.ready;
    const greeting = first.gateway.greet(legacyClient());
    await first.gateway.close();
    const { stateDir } = first;
    const second = openGateway({ servers: { crm, files }, policies, stateDir });
    await second.gateway.ready;
    expect(second.gateway.greet(legacyClient())).toEqual(greeting);
    expect(second.servers["crm"]?.connections).toEqual([]);
  });
});
