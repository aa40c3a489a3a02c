import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/contract/json.ts";
import type { ActionReply, ActionRequest } from "../../../src/gateway/gateway.ts";
import type { Act } from "./open-session.ts";
import { codesOf, modernMeta, open, replyOf } from "./open-session.ts";

const wholeReply: ActionReply = replyOf("{}");

/** A modern client that listens to this; resolves when it is listened to, or was refused. */
async function listen(notifications: unknown, act: Act = () => wholeReply) {
  const opened = open(act);
  const served = opened.request("L", "subscriptions/listen", { notifications, _meta: modernMeta });
  await Promise.race([served, delay(30)]);
  const cancel = async (): Promise<void> => {
    await opened.notify("notifications/cancelled", { requestId: "L" });
    await served;
  };
  return { ...opened, cancel };
}

const many = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const methodsOf = (sent: readonly JsonObject[]) => sent.map(({ method }) => method);
const acknowledged = "notifications/subscriptions/acknowledged";
const everything = {
  toolsListChanged: true,
  promptsListChanged: true,
  resourcesListChanged: true,
};

describe("a client that listens", () => {
  test("is told first what it will hear of, under the id of its request", async () => {
    const { sent, related } = await listen(everything);
    expect(sent).toEqual([
      {
        jsonrpc: "2.0",
        method: acknowledged,
        params: {
          notifications: everything,
          _meta: { "io.modelcontextprotocol/subscriptionId": "L" },
        },
      },
    ]);
    expect(related).toEqual(["L"]);
  });

  test("hears what it asked for, stamped, and nothing else", async () => {
    const { say, sent } = await listen({ toolsListChanged: true, promptsListChanged: false });
    for (const method of [
      "notifications/prompts/list_changed",
      "notifications/resources/list_changed",
      "notifications/message",
      "notifications/tasks/status",
      "notifications/elicitation/complete",
      "notifications/vendor",
      "notifications/tools/list_changed",
    ]) {
      say(method);
    }
    expect(methodsOf(sent)).toEqual([acknowledged, "notifications/tools/list_changed"]);
    expect(sent[1]?.["params"]).toEqual({
      _meta: { "io.modelcontextprotocol/subscriptionId": "L" },
    });
  });

  test("keeps what a notice has in its _meta, and the id is the gateway's", async () => {
    const { say, sent } = await listen(everything);
    const key = "io.modelcontextprotocol/subscriptionId";
    say("notifications/tools/list_changed", { _meta: { "vendor/x": 1, [key]: "forged" } });
    expect(sent[1]?.["params"]).toEqual({ _meta: { "vendor/x": 1, [key]: "L" } });
  });

  test("has each resource decided, and is told of those that it got", async () => {
    const act = ({ subject }: ActionRequest): ActionReply =>
      "uri" in subject && subject.uri === "x:denied"
        ? { kind: "error", code: 40_300, message: "denied" }
        : wholeReply;
    const { sent, actions } = await listen(
      { resourceSubscriptions: ["x:a", "x:denied", "x:b"] },
      act,
    );
    expect(actions.map(({ subject }) => subject)).toEqual([
      { type: "resource_subscribe", uri: "x:a" },
      { type: "resource_subscribe", uri: "x:denied" },
      { type: "resource_subscribe", uri: "x:b" },
    ]);
    expect(sent[0]).toMatchObject({
      params: { notifications: { resourceSubscriptions: ["x:a", "x:b"] } },
    });
    expect(JSON.stringify(sent)).not.toContain("denied");
  });

  test("has each task decided, and hears of those alone", async () => {
    const act = ({ subject }: ActionRequest): ActionReply =>
      "taskId" in subject && subject.taskId === "mine"
        ? wholeReply
        : { kind: "error", code: -32_602, message: "Unknown task" };
    const { say, sent, actions } = await listen({ taskIds: ["mine", "other"] }, act);
    expect(actions.map(({ subject }) => subject.type)).toEqual([
      "task_subscribe",
      "task_subscribe",
    ]);
    expect(Object(sent[0]?.["params"]).notifications).toEqual({ taskIds: ["mine"] });
    say("notifications/tasks", { taskId: "other" });
    say("notifications/tasks", { taskId: "mine" });
    expect(sent.slice(1)).toMatchObject([{ params: { taskId: "mine" } }]);
  });

  test("is told of none where it got none", async () => {
    const denied: ActionReply = { kind: "error", code: 40_300, message: "denied" };
    const { sent } = await listen({ resourceSubscriptions: ["x:a"], taskIds: ["t"] }, () => denied);
    expect(Object(sent[0]?.["params"]).notifications).toEqual({});
  });

  test("hears what came before it was acknowledged, after that and in order", async () => {
    const opened = open(() => wholeReply);
    let hear = (): void => {};
    opened.changes.ready = new Promise((resolve) => {
      hear = resolve;
    });
    const notifications = { ...everything, resourceSubscriptions: ["x:a"] };
    void opened.request("L", "subscriptions/listen", { notifications, _meta: modernMeta });
    await delay(20);
    opened.say("notifications/message", { level: "error" });
    opened.say("notifications/resources/updated", { uri: "x:a" });
    opened.say("notifications/tools/list_changed");
    expect(opened.sent).toEqual([]);
    hear();
    await delay(20);
    opened.say("notifications/prompts/list_changed");
    expect(methodsOf(opened.sent)).toEqual([
      acknowledged,
      "notifications/resources/updated",
      "notifications/tools/list_changed",
      "notifications/prompts/list_changed",
    ]);
  });

  test("ends with its cancellation: it hears nothing more and gets its answer", async () => {
    const { cancel, say, sent, listeners } = await listen(everything);
    expect(listeners.size).toBe(1);
    await cancel();
    expect(listeners.size).toBe(0);
    expect(sent[1]).toMatchObject({
      id: "L",
      result: {
        resultType: "complete",
        _meta: { "io.modelcontextprotocol/subscriptionId": "L" },
      },
    });
    say("notifications/tools/list_changed");
    expect(sent).toHaveLength(2);
  });

  test("stops listening where its request fails", async () => {
    const { sent, listeners } = await listen({ resourceSubscriptions: ["x:a"] }, () => {
      throw new Error("inside");
    });
    expect(codesOf(sent)).toEqual([-32_603]);
    expect(listeners.size).toBe(0);
  });

  test("may have several requests open, each with its own subset", async () => {
    const { request, say, sent } = await listen({ toolsListChanged: true });
    const notifications = { promptsListChanged: true };
    void request(2, "subscriptions/listen", { notifications, _meta: modernMeta });
    await delay(20);
    sent.length = 0;
    say("notifications/tools/list_changed");
    say("notifications/prompts/list_changed");
    const key = "io.modelcontextprotocol/subscriptionId";
    expect(sent.map(({ method, params }) => [method, Object(params)._meta[key]])).toEqual([
      ["notifications/tools/list_changed", "L"],
      ["notifications/prompts/list_changed", 2],
    ]);
  });

  test.each([
    ["nothing", undefined],
    ["a list", []],
    ["resources that are no list", { resourceSubscriptions: "x:a" }],
    ["a resource that is no string", { resourceSubscriptions: [7] }],
    ["a task that is no string", { taskIds: [{}] }],
    [
      "more than 1000 resources",
      { resourceSubscriptions: Array.from({ length: 1001 }, () => "x") },
    ],
    [
      "more than 1000 resources and tasks together",
      { resourceSubscriptions: many("x:", 501), taskIds: many("t", 500) },
    ],
    ["a resource of more than 8192 characters", { resourceSubscriptions: ["x".repeat(8193)] }],
    ["a task of more than 8192 characters", { taskIds: ["t".repeat(8193)] }],
  ])("is refused %s", async (_, notifications) => {
    const { sent, actions, listeners } = await listen(notifications);
    expect(codesOf(sent)).toEqual([-32_602]);
    expect([actions.length, listeners.size]).toEqual([0, 0]);
  });

  test("has a topic that it named twice decided once", async () => {
    const { sent, actions } = await listen({ resourceSubscriptions: ["x:a", "x:b", "x:a"] });
    expect(actions).toHaveLength(2);
    expect(Object(sent[0]?.["params"]).notifications).toEqual({
      resourceSubscriptions: ["x:a", "x:b"],
    });
  });

  test("is refused tasks where it does not declare the extension", async () => {
    const opened = open(() => wholeReply);
    const _meta = { ...modernMeta, "io.modelcontextprotocol/clientCapabilities": {} };
    const notifications = { toolsListChanged: true, taskIds: ["t"] };
    await opened.request("L", "subscriptions/listen", { notifications, _meta });
    expect(opened.sent[0]).toMatchObject({
      id: "L",
      error: {
        code: -32_021,
        data: { requiredCapabilities: { extensions: { "io.modelcontextprotocol/tasks": {} } } },
      },
    });
    expect([opened.actions.length, opened.listeners.size]).toEqual([0, 0]);
  });

  test("may name no tasks without the extension", async () => {
    const opened = open(() => wholeReply);
    const _meta = { ...modernMeta, "io.modelcontextprotocol/clientCapabilities": {} };
    const notifications = { toolsListChanged: true, taskIds: [] };
    void opened.request("L", "subscriptions/listen", { notifications, _meta });
    await delay(20);
    expect(methodsOf(opened.sent)).toEqual([acknowledged]);
  });

  test("costs a bounded amount of memory before it is acknowledged", async () => {
    const opened = open(() => wholeReply);
    let hear = (): void => {};
    opened.changes.ready = new Promise((resolve) => {
      hear = resolve;
    });
    const notifications = { ...everything, resourceSubscriptions: ["x:a"] };
    void opened.request("L", "subscriptions/listen", { notifications, _meta: modernMeta });
    await delay(20);
    for (let count = 0; count < 1000; count += 1) {
      opened.say("notifications/tools/list_changed");
      opened.say("notifications/resources/updated", { uri: `x:${count}` });
    }
    hear();
    await delay(20);
    expect(opened.sent).toHaveLength(1 + 256);
    const change = "notifications/tools/list_changed";
    expect(methodsOf(opened.sent).filter((method) => method === change)).toEqual([change]);
    expect(opened.sent.at(-1)).toMatchObject({ params: { uri: "x:999" } });
  });

  test("has a switch taken for on where it is true and for nothing else", async () => {
    const { sent } = await listen({ toolsListChanged: 1, promptsListChanged: "true" });
    expect(Object(sent[0]?.["params"]).notifications).toEqual({});
  });
});
