import { beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/contract/json.ts";
import { modernClient, openGateway } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const config = { to_client: ["sampling", "elicitation", "roots"] };

describe("a subscription of a modern client", () => {
  test("to a server that may ask is a subscription all the same", async () => {
    const { act, gateway, servers } = openGateway({
      servers: { crm: { resources: [{ uri: "file:///a", name: "a" }], config } },
      policies,
    });
    const client = modernClient();
    const heard: JsonObject[] = [];
    const stop = gateway.listen(client, {
      hear: ({ method, params }) => heard.push({ method, uri: String(params["uri"]) }),
      ask: undefined,
    });
    await act({ type: "resource_subscribe", uri: "file:///a" }, { client });
    servers["crm"]?.say({
      method: "notifications/resources/updated",
      params: { uri: "file:///a" },
    });
    stop();
    expect(heard).toEqual([{ method: "notifications/resources/updated", uri: "file:///a" }]);
  });
});
