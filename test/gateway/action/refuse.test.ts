/**
 * The records of what was refused before policy was asked have the shape of all records, so that who
 * reads them needs to know one.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Subject } from "../../../src/gateway/gateway.ts";
import { compileSchema } from "../../../src/policy/engine/schema/compile-schema.ts";
import type { FakeServerSettings } from "../fake-server.ts";
import { askIn, text, tool } from "../fake-server.ts";
import type { OpenGateway } from "../open-gateway.ts";
import { legacyClient, openGateway } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const schema = compileSchema(JSON.parse(readFileSync("schema/input.schema.json", "utf8")));
const client = legacyClient({ capabilities: { elicitation: {} } });

function open(crm: FakeServerSettings = { tools: [tool("get")] }): OpenGateway {
  return openGateway({ servers: { crm }, policies });
}

/** The input of the newest record; it has to fit the schema. */
function inputOf({ admissions }: OpenGateway) {
  const input = JSON.parse(admissions.at(-1)?.inputJson ?? "null");
  expect(schema.check(input)).toEqual([]);
  return input;
}

describe("the record of a refusal", () => {
  test.each<[string, Subject, object]>([
    [
      "a tool",
      { type: "tool_call", name: "crm__no", argumentsJson: '{"a":1}' },
      { tool: "crm__no" },
    ],
    ["a prompt", { type: "prompt_get", name: "no", argumentsJson: "{}" }, { prompt: "no" }],
    ["a resource", { type: "resource_read", uri: "no:a" }, { uri: "no:a" }],
    ["a subscription", { type: "resource_subscribe", uri: "no:a" }, { uri: "no:a" }],
  ])("names %s that does not exist as decided ones are named", async (_, subject, about) => {
    // Of two servers that list no such resource, neither is taken for the one that has it.
    const crm = { tools: [tool("get")] };
    const gateway = openGateway({ servers: { crm, mail: crm }, policies });
    await gateway.act(subject);
    const { action } = inputOf(gateway);
    expect(action).toMatchObject({ type: subject.type, server: "", ...about });
    expect(action).not.toHaveProperty("about");
  });

  test("has what was sent, and who sent it when", async () => {
    const gateway = open();
    await gateway.act({ type: "tool_call", name: "crm__no", argumentsJson: '{"a":1}' });
    expect(inputOf(gateway)).toMatchObject({
      action: { args: { a: 1 } },
      agent: { id: "bot", client: { name: "legacy" } },
      environment: { time: new Date(gateway.admissions[0]?.timeMs ?? 0).toISOString() },
    });
  });

  test("of a question that the operator does not list has its tool, and not its words", async () => {
    const gateway = open({
      tools: [tool("get")],
      answer: async (wanted) => {
        await askIn(wanted, "elicitation/create", { message: "which?" });
        return text("done");
      },
    });
    await gateway.call("crm__get", { client });
    expect(inputOf(gateway).action).toMatchObject({
      type: "elicitation",
      direction: "to_client",
      server: "crm",
      tool: "get",
    });
    expect(inputOf(gateway).action).not.toHaveProperty("message");
  });

  test.each([
    ["tools/call", "tool_call"],
    ["prompts/get", "prompt_get"],
    ["tasks/get", "task_get"],
    [undefined, "tool_call"],
  ])("of a malformed %s is that of a %s", async (method, type) => {
    const gateway = open();
    await gateway.gateway.refuseMalformed(client, method);
    expect(inputOf(gateway).action).toMatchObject({ type, server: "" });
    expect(gateway.admissions[0]).toMatchObject({
      actionType: type,
      answer: { reasons: ["malformed_request"] },
    });
  });
});
