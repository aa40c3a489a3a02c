import { beforeAll, describe, expect, test } from "vitest";
import type { Subject } from "../../src/gateway/gateway.ts";
import type { Answer, FakeServerSettings } from "./fake-server.ts";
import { result, text, tool } from "./fake-server.ts";
import { alice, collect, legacyClient, openGateway, principal, readReply } from "./open-gateway.ts";
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
const related = { "io.modelcontextprotocol/related-task": { taskId: "t1" } };

const answer: Answer = ({ method, params }) => {
  switch (method) {
    case "tools/call":
      return params["task"] === undefined
        ? text("done")
        : result('{"task":{"taskId":"t1","status":"working","ttl":1.50}}');
    case "tasks/result":
      return result({ content: [{ type: "text", text: "t1" }], _meta: related });
    case "tasks/list":
      return result({ tasks: [{ taskId: "t1" }, { taskId: "foreign" }, { taskId: 7 }, "t1"] });
    default:
      return result({ taskId: "t1", status: "completed" });
  }
};
const crm: FakeServerSettings = { tools: [tool("get")], capabilities, answer };
const bob = legacyClient({ principal: principal("bob") });

function open(settings: FakeServerSettings = crm, more: object = {}) {
  const gateway = openGateway({ servers: { crm: settings }, policies, ...more });
  const start = async (): Promise<string> => {
    const reply = readReply(await gateway.call("crm__get", { taskJson: '{"ttl":60}' }));
    return String(Object(reply["task"]).taskId);
  };
  return { ...gateway, start };
}

const kinds = ["task_get", "task_result", "task_cancel", "task_update"] as const;
const about = (type: (typeof kinds)[number], taskId: string): Subject => ({ type, taskId });

describe("a task that a call made", () => {
  test("has an id of the gateway's, and every other byte as it came", async () => {
    const { call, servers, admissions } = open();
    const reply = await call("crm__get", { taskJson: '{"ttl":60}' });
    const shown = reply.kind === "result" ? reply.bytes.toString() : "";
    expect(shown).toMatch(/^{"task":{"taskId":"[\w-]+\.[\w-]+","status":"working","ttl":1\.50}}$/);
    expect(servers["crm"]?.sent[0]?.params["task"]).toBe('{"ttl":60}');
    expect(JSON.parse(admissions[0]?.inputJson ?? "").action.task).toEqual({ ttl: 60 });
  });

  test.each(kinds)("is asked about by %s under the server's own id, decided", async (type) => {
    const { start, act, servers, admissions } = open();
    const taskId = await start();
    expect((await act(about(type, taskId))).kind).toBe("result");
    expect(servers["crm"]?.sent[1]).toMatchObject({
      method: `tasks/${type.slice("task_".length)}`,
      params: { taskId: '"t1"' },
    });
    expect(admissions[1]).toMatchObject({ actionType: type, server: "crm", tool: "get" });
    expect(JSON.parse(admissions[1]?.inputJson ?? "").action).toMatchObject({ type, tool: "get" });
  });

  test("is renamed in results about it, and in the text of a result it is not", async () => {
    const { start, act } = open();
    const taskId = await start();
    expect(readReply(await act(about("task_get", taskId)))).toMatchObject({ taskId });
    expect(readReply(await act(about("task_result", taskId)))).toMatchObject({
      content: [{ text: "t1" }],
      _meta: { "io.modelcontextprotocol/related-task": { taskId } },
    });
  });

  test.each(kinds)(
    "is unknown by %s to another principal, and so is what was made up",
    async (type) => {
      const { start, act, servers } = open();
      const taskId = await start();
      const unknown = { kind: "error", code: -32_602, message: "Unknown task" };
      expect(await act(about(type, taskId), { client: bob })).toEqual(unknown);
      for (const forged of [
        "t1",
        "",
        `${taskId}A`,
        taskId.slice(0, -1),
        taskId.replace(/^./, "X"),
      ]) {
        expect(await act(about(type, forged))).toEqual(unknown);
      }
      expect(servers["crm"]?.sent).toHaveLength(1);
    },
  );

  test("is unknown to a token that does not name its server any more", async () => {
    const { start, act } = open();
    const taskId = await start();
    const client = legacyClient({ principal: principal("alice", { servers: new Set(["mail"]) }) });
    expect(await act(about("task_get", taskId), { client })).toMatchObject({ code: -32_602 });
  });

  test("is denied as soon as its tool is described otherwise", async () => {
    const { start, act, gateway, servers } = open();
    const taskId = await start();
    const fake = servers["crm"];
    if (fake === undefined) throw new Error("expected a server");
    fake.lists["tools"] = [tool("get", { description: "other" })];
    fake.say({ method: "notifications/tools/list_changed", params: {} });
    const listed = async () => (await gateway.list(legacyClient(), "tools")).items.length;
    await expect.poll(listed, { timeout: 20_000 }).toBe(0);
    const reply = JSON.stringify(await act(about("task_get", taskId)));
    expect(reply).toContain("tool_changed");
    expect(fake.sent).toHaveLength(1);
    expect(await gateway.listTasks(legacyClient())).toEqual([]);
  });

  test("outlives the gateway that it was made with", async () => {
    const first = open();
    const taskId = await first.start();
    await first.gateway.close();
    const { act } = open(crm, { stateDir: first.stateDir });
    expect(readReply(await act(about("task_get", taskId)))).toMatchObject({ taskId });
  });
});

describe("a list of tasks", () => {
  test("has those that this principal made, under the ids that it knows", async () => {
    const { gateway, start } = open();
    expect(await gateway.listTasks(legacyClient())).toEqual([]);
    const taskId = await start();
    expect(await gateway.listTasks(legacyClient())).toEqual([{ taskId }]);
    expect(await gateway.listTasks(bob)).toEqual([]);
  });

  test("has none of a tool that its principal does not see any more", async () => {
    const { gateway, call } = open({ ...crm, tools: [tool("staff_tool")] });
    const withGroups = (...groups: readonly string[]) => {
      const user = { ...alice.user, groups };
      return legacyClient({ principal: principal("alice", { user }) });
    };
    const [staff, former] = [withGroups("staff"), withGroups()];
    expect(staff.principal.key).toBe(former.principal.key);
    const made = readReply(await call("crm__staff_tool", { client: staff, taskJson: "{}" }));
    const { taskId } = Object(made["task"]);
    expect(await gateway.listTasks(staff)).toEqual([{ taskId }]);
    expect(await gateway.listTasks(former)).toEqual([]);
  });

  test("is read page by page, and of servers that have one", async () => {
    const pages: Answer = (wanted, connection) => {
      if (wanted.method !== "tasks/list") return answer(wanted, connection);
      const { cursor } = wanted.params;
      return cursor === undefined
        ? result({ tasks: [], nextCursor: "2" })
        : result({ tasks: [{ taskId: "t1" }] });
    };
    const { gateway, start, servers } = openAll({ ...crm, answer: pages });
    const taskId = await start();
    expect(await gateway.listTasks(legacyClient())).toEqual([{ taskId }]);
    expect(servers["plain"]?.sent).toEqual([]);
  });

  test("of a server that fails or repeats itself has what came before", async () => {
    const failing: Answer = (wanted, connection) =>
      wanted.method === "tasks/list"
        ? result({ tasks: [], nextCursor: "again" })
        : answer(wanted, connection);
    const { gateway, start, servers } = open({ ...crm, answer: failing });
    await start();
    expect(await gateway.listTasks(legacyClient())).toEqual([]);
    expect(servers["crm"]?.sent.length).toBeLessThan(20);
    const fake = servers["crm"];
    if (fake !== undefined) {
      fake.answer = () => ({ kind: "failed", code: "upstream_lost", message: "gone" });
    }
    expect(await gateway.listTasks(legacyClient())).toEqual([]);
  });

  function openAll(settings: FakeServerSettings) {
    const servers = { crm: settings, plain: { tools: [tool("get")] } };
    const gateway = openGateway({ servers, policies });
    const start = async (): Promise<string> => {
      const reply = readReply(await gateway.call("crm__get", { taskJson: "{}" }));
      await gateway.call("plain__get");
      gateway.servers["plain"]?.sent.splice(0);
      return String(Object(reply["task"]).taskId);
    };
    return { ...gateway, start };
  }
});

describe("a notification of a task", () => {
  test("reaches who made it, under the id that it knows, and nobody else", async () => {
    const { gateway, start, servers } = open();
    const [mine, other] = [collect(), collect()];
    const ear = (hear: (typeof mine)["hear"]) => ({ hear, ask: undefined });
    gateway.listen(legacyClient(), ear(mine.hear));
    gateway.listen(bob, ear(other.hear));
    const taskId = await start();
    for (const params of [{ taskId: "t1", status: "working" }, { taskId: "foreign" }, {}]) {
      servers["crm"]?.say({ method: "notifications/tasks/status", params });
    }
    expect(mine.heard).toEqual([
      { method: "notifications/tasks/status", params: { taskId, status: "working" } },
    ]);
    expect(other.heard).toEqual([]);
    expect(alice.key).not.toBe(bob.principal.key);
  });

  test.each([
    ["tool", "crm/get"],
    ["server", "crm"],
  ] as const)(
    "is not passed on while its %s is blocked, nor are words in a list",
    async (kind, id) => {
      const words = "the mail of everybody";
      const telling: Answer = (wanted, connection) =>
        wanted.method === "tasks/list"
          ? result({ tasks: [{ taskId: "t1", statusMessage: words }] })
          : answer(wanted, connection);
      const { gateway, start, servers, blocks } = open({ ...crm, answer: telling });
      const mine = collect();
      gateway.listen(legacyClient(), { hear: mine.hear, ask: undefined });
      const taskId = await start();
      expect(await gateway.listTasks(legacyClient())).toEqual([{ taskId, statusMessage: words }]);
      await blocks.block({ subject: { kind, id }, by: "carol", reason: null }, undefined);
      mine.heard.length = 0;
      const params = { taskId: "t1", status: "working", statusMessage: words };
      servers["crm"]?.say({ method: "notifications/tasks/status", params });
      expect(mine.heard).toEqual([]);
      expect(await gateway.listTasks(legacyClient())).toEqual([{ taskId }]);
    },
  );
});
