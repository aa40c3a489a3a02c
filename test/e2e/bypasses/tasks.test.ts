/**
 * B12, B13: tasks of somebody else, inputs that reach a task, and tasks that a call asks for.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { legacyClient, modernClient, reasonsOf } from "./clients.ts";
import type { HostileSetting } from "./hostile-setting.ts";
import { acts, buildHostileLayout, writeHostileConfig } from "./hostile-setting.ts";
import type { HttpGateway } from "./http-gateway.ts";
import { startHttpGateway, withTokens } from "./http-gateway.ts";
import { ableToAll, answerLine, script } from "./scripts.ts";

let setting: HostileSetting;
let gateway: HttpGateway;

beforeAll(async () => {
  const layout = await buildHostileLayout(["h", "m"]);
  const servers = { h: { era: "legacy" }, m: { era: "modern" } } as const;
  setting = writeHostileConfig(layout, servers, withTokens({ carol: ["h"] }));
  gateway = await startHttpGateway(setting);
  await modernClient(gateway, "alice").request("tools/list");
});

afterAll(async () => await gateway.close());

const alice = () => modernClient(gateway, "alice");
const reached = (server = "h") => acts(setting.received(server));

describe("a task", () => {
  const made = (id: string) =>
    answerLine({ resultType: "task", taskId: id, status: "working", ttlMs: null });
  const begin = async (id = "t-1"): Promise<string> => {
    const task = await alice().call("m__script", script(made(id)), {}, ableToAll);
    return Object(task["result"]).taskId;
  };

  test.each(["tasks/get", "tasks/cancel", "tasks/update"])(
    "B12 of another principal is one that does not exist, to %s",
    async (method) => {
      const taskId = await begin();
      const more = method === "tasks/update" ? { inputResponses: {} } : {};
      const before = reached("m").length;
      const bob = modernClient(gateway, "bob");
      const ids = [taskId, "t-1", `${taskId}x`, taskId.split(".")[0], "", "m:t-1"];
      for (const id of ids) {
        const answer = await bob.request(method, { taskId: id, ...more }, ableToAll);
        expect(answer["error"]).toEqual({ code: -32_602, message: "Unknown task" });
      }
      expect(reached("m")).toHaveLength(before);
      expect(await alice().request(method, { taskId, ...more }, ableToAll)).toHaveProperty(
        "result",
      );
      expect(reached("m").at(-1)).toMatchObject({ method, params: { taskId: "t-1" } });
    },
  );

  test("B12 gets no input that policy denies", async () => {
    const taskId = await begin();
    const before = reached("m").length;
    const inputResponses = { a: { action: "accept", content: { x: "FORBIDDEN" } } };
    const answer = await alice().request("tasks/update", { taskId, inputResponses }, ableToAll);
    expect(reasonsOf(answer)).toEqual(["forbidden"]);
    expect(reached("m")).toHaveLength(before);
  });

  test("B12 of a tool that is hidden from its reader does not exist, whoever made it", async () => {
    const client = await legacyClient(gateway, "carol");
    const answer = await client.request("tasks/get", { taskId: await begin() });
    expect(answer["error"]).toEqual({ code: -32_602, message: "Unknown task" });
  });

  test("B12 that a client did not make is in no list, whatever its server lists", async () => {
    const client = await legacyClient(gateway, "alice");
    expect(await client.request("tasks/list")).toHaveProperty("result.tasks", []);
    const task = { taskId: "t-2", status: "working", ttl: null };
    const params = {
      name: "h__script",
      arguments: script(answerLine({ task })),
      task: { ttl: 1000 },
    };
    expect(await client.request("tools/call", params)).toHaveProperty(
      "result.task.status",
      "working",
    );
    const { result } = await client.request("tasks/list");
    const listed: readonly unknown[] = Object(result).tasks;
    expect(listed).toHaveLength(1);
    const other = await legacyClient(gateway, "bob");
    expect(await other.request("tasks/list")).toHaveProperty("result.tasks", []);
  });

  test("B13 that a call asks for is judged with the call, and its extra members go as they were judged", async () => {
    const client = await legacyClient(gateway, "alice");
    const call = (task: unknown) =>
      client.request("tools/call", { name: "h__echo", arguments: { b13: 1 }, task });
    const before = reached().length;
    expect(reasonsOf(await call({ ttl: 1, note: "FORBIDDEN" }))).toEqual(["forbidden"]);
    expect(await call("now")).toHaveProperty("error.code", -32_602);
    expect(reached()).toHaveLength(before);
    await call({ ttl: 1 });
    expect(reached().at(-1)).toHaveProperty("params.task", { ttl: 1 });
  });
});

test("B12 what is asked of tasks is on record, each with its own type", async () => {
  await gateway.close();
  const types = new Set((await setting.decisions()).map(({ action_type }) => action_type));
  for (const type of ["task_get", "task_cancel", "task_update"]) expect(types).toContain(type);
});
