/**
 * Tasks of a conversation that a trusted runtime names: they stay in it, whoever lists them.
 */
import { beforeAll, expect, test } from "vitest";
import { vouchedConversation } from "../../src/contract/vouched-conversation.ts";
import type { ActionRequest } from "../../src/gateway/gateway.ts";
import type { Answer } from "./fake-server.ts";
import { result, tool } from "./fake-server.ts";
import { alice, legacyClient, openGateway, readReply } from "./open-gateway.ts";
import type { TestPolicies } from "./test-policies.ts";
import { compileTestPolicies } from "./test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const capabilities = {
  tools: {},
  tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
};
const answer: Answer = ({ method }) => {
  if (method === "tools/call") return result('{"task":{"taskId":"t1","status":"working"}}');
  if (method === "tasks/list") return result({ tasks: [{ taskId: "t1" }] });
  return result({ content: [{ type: "text", text: "card 4111 1111 1111 1111" }] });
};

const inConversation = (id: string): Partial<ActionRequest> => ({
  client: legacyClient({
    principal: { ...alice, conversation: vouchedConversation(alice.key, id) },
  }),
});

async function start() {
  const gateway = openGateway({
    servers: { crm: { tools: [tool("get")], capabilities, answer } },
    policies,
  });
  const made = readReply(
    await gateway.call("crm__get", { taskJson: '{"ttl":60}', ...inConversation("a") }),
  );
  const taskId = String(Object(made["task"]).taskId);
  const read = (more: Partial<ActionRequest>) => gateway.act({ type: "task_result", taskId }, more);
  const contexts = () => gateway.admissions.map(({ inputJson }) => JSON.parse(inputJson).context);
  return { ...gateway, taskId, read, contexts };
}

test("a task is of the conversation of its call, which its result labels", async () => {
  const { read, contexts, call } = await start();
  expect((await read(inConversation("a"))).kind).toBe("result");
  await call("crm__get", inConversation("a"));
  expect(contexts().at(-1)).toMatchObject({ conversation_id: "a", turn_count: 2 });
  expect(contexts().at(-1).data_classes_seen).toContain("payment_data");
});

test.each([
  ["another conversation", inConversation("b")],
  ["none", {}],
])("in %s there is no such task", async (_, more) => {
  const { read, servers } = await start();
  expect(await read(more)).toMatchObject({ kind: "error", code: -32_602 });
  expect(servers["crm"]?.sent.map(({ method }) => method)).not.toContain("tasks/result");
});

test("a list names it as its conversation may ask for it", async () => {
  const { gateway, act } = await start();
  const [listed] = await gateway.listTasks(legacyClient());
  const taskId = String(listed?.["taskId"]);
  expect((await act({ type: "task_get", taskId }, inConversation("a"))).kind).toBe("result");
  expect((await act({ type: "task_get", taskId }, inConversation("b"))).kind).toBe("error");
});
