import { beforeAll, describe, expect, test } from "vitest";
import { tool } from "../fake-server.ts";
import { legacyClient, modernClient, openGateway } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const mirrored = tool("get", {
  inputSchema: {
    type: "object",
    properties: { region: { type: "string", "x-mcp-header": "Region" } },
  },
});

describe("a request to a server", () => {
  test("has the arguments as the text that was judged", async () => {
    const { act, servers, admissions } = openGateway({
      servers: { crm: { tools: [tool("get")] } },
      policies,
    });
    const argumentsJson = '{"b":1.5,"a":{"z":"\\u0000ü","y":[1e2,-0]}}';
    await act({ type: "tool_call", name: "crm__get", argumentsJson });
    expect(servers["crm"]?.sent[0]?.params).toEqual({ name: '"get"', arguments: argumentsJson });
    expect(admissions[0]?.inputJson).toContain(`"args":${argumentsJson}`);
  });

  test("mirrors arguments into headers as the tool's definition says", async () => {
    const { act, servers } = openGateway({
      servers: { crm: { era: "modern", tools: [mirrored], capabilities: { tools: {} } } },
      policies,
    });
    await act({ type: "tool_call", name: "crm__get", argumentsJson: '{"region":"eu"}' });
    expect(servers["crm"]?.sent[0]).toMatchObject({
      name: "get",
      headers: { "Mcp-Param-Region": "eu" },
    });
  });

  test("carries the trace context, and nothing else of the client's _meta", async () => {
    const { call, servers } = openGateway({ servers: { crm: { tools: [tool("get")] } }, policies });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await call("crm__get", { traceparent });
    await call("crm__get");
    expect(servers["crm"]?.sent.map(({ meta }) => meta)).toEqual([{ traceparent }, {}]);
  });

  test("has the server's deadline and the client's progress", async () => {
    const heard: number[] = [];
    const { call } = openGateway({
      servers: {
        crm: {
          tools: [tool("get")],
          config: { call_timeout_ms: 1234 },
          answer: (wanted) => {
            wanted.onProgress?.({ progress: wanted.timeoutMs });
            return undefined;
          },
        },
      },
      policies,
    });
    await call("crm__get", { onProgress: ({ progress }) => heard.push(progress) });
    expect(heard).toEqual([1234]);
  });

  test.each([
    ["legacy", legacyClient],
    ["modern", modernClient],
  ])("says what a %s client can do, without questions that nobody listed", async (_, clientOf) => {
    const { call, servers } = openGateway({
      servers: { crm: { tools: [tool("get")], config: { to_client: ["sampling"] } } },
      policies,
    });
    const capabilities = {
      sampling: {},
      elicitation: {},
      roots: {},
      extensions: { "vendor/x": {} },
    };
    const ask = async () => ({ kind: "error", code: 1, message: "" }) as const;
    await call("crm__get", { client: clientOf({ capabilities }), ask });
    expect(servers["crm"]?.sent[0]?.clientCapabilities).toEqual({
      sampling: {},
      extensions: { "vendor/x": {} },
    });
  });
});
