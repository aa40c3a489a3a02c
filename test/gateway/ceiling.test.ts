/**
 * What the operator's ceiling means for actions that are no tool calls.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { Subject } from "../../src/gateway/gateway.ts";
import type { Answer } from "./fake-server.ts";
import { result, text, tool } from "./fake-server.ts";
import { openGateway, readReply } from "./open-gateway.ts";
import type { TestPolicies } from "./test-policies.ts";
import { compileTestPolicies } from "./test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const answer: Answer = ({ method, params }) => {
  if (method === "resources/read") return result({ contents: [] });
  if (method !== "tools/call") return result({ taskId: "t1", status: "completed" });
  return params["task"] === undefined ? text("done") : result({ task: { taskId: "t1" } });
};

function open(ceiling: readonly string[]) {
  const capabilities = {
    tools: {},
    resources: {},
    tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
  };
  const crm = { tools: [tool("get")], capabilities, answer, config: { ceiling } };
  return openGateway({ servers: { crm }, policies });
}

const read: Subject = { type: "resource_read", uri: "note:///a" };

describe("a ceiling", () => {
  test("that names a tool holds the tasks of its calls, whatever ids their server chooses", async () => {
    const { call, act } = open(["get"]);
    const started = readReply(await call("crm__get", { taskJson: "{}" }));
    const taskId = String(Object(started["task"]).taskId);
    expect(readReply(await act({ type: "task_get", taskId }))).toMatchObject({ taskId });
  });

  test("that names tools holds no resource, and the other way round", async () => {
    const tools = open(["get", "note*", "crm/note*"]);
    expect((await tools.call("crm__get")).kind).toBe("result");
    expect(await tools.act(read)).toMatchObject({ kind: "error", code: 40_300 });
    expect(tools.admissions[1]?.answer.reasons).toEqual(["no_rule_allows"]);

    const resources = open(["crm/resource_read:note:///*"]);
    expect((await resources.act(read)).kind).toBe("result");
    expect(readReply(await resources.call("crm__get"))).toMatchObject({ isError: true });
  });
});
