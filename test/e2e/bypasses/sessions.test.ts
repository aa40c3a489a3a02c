/**
 * B20, B40: the session of somebody else, and names that are taken for another one's.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerOf, legacyClient, modernClient, textOf } from "./clients.ts";
import type { HostileSetting } from "./hostile-setting.ts";
import { acts, buildHostileLayout, writeHostileConfig } from "./hostile-setting.ts";
import type { HttpGateway, Post } from "./http-gateway.ts";
import { startHttpGateway, withTokens } from "./http-gateway.ts";
import {
  ableToAll,
  allQuestions,
  answerLine,
  form,
  requestLine,
  script,
  words,
} from "./scripts.ts";

let setting: HostileSetting;
let gateway: HttpGateway;

beforeAll(async () => {
  const layout = await buildHostileLayout(["h"]);
  const server = { era: "legacy", settings: { to_client: allQuestions } } as const;
  setting = writeHostileConfig(layout, { h: server }, withTokens());
  gateway = await startHttpGateway(setting);
  await modernClient(gateway, "alice").request("tools/list");
});

afterAll(async () => await gateway.close());

const reached = () => acts(setting.received("h"));

/** The status, and that nothing reached the server. */
async function refusedWith(post: Post): Promise<number> {
  const before = reached().length;
  const { status, text } = await gateway.post(post);
  expect(reached()).toHaveLength(before);
  expect(text).not.toContain('"content"');
  return status;
}

describe("a session", () => {
  const call = {
    jsonrpc: "2.0",
    id: 7,
    method: "tools/call",
    params: { name: "h__echo", arguments: {} },
  };

  test("B20 of another principal is one that does not exist, to call, to listen to, to end, to answer in", async () => {
    const { headers } = await legacyClient(gateway, "alice");
    const stranger = { ...headers, "Mcp-Session-Id": "0".repeat(64) };
    const posts: readonly Omit<Post, "headers">[] = [
      { user: "bob", body: call },
      { user: "bob", body: undefined, method: "GET" },
      { user: "bob", body: undefined, method: "DELETE" },
      { user: "bob", body: { jsonrpc: "2.0", id: 1, result: {} } },
      {
        user: "bob",
        body: { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } },
      },
    ];
    for (const post of posts) {
      const [taken, unknown] = [
        await gateway.post({ ...post, headers }),
        await gateway.post({ ...post, headers: stranger }),
      ];
      expect([taken.status, taken.text]).toEqual([404, unknown.text]);
      expect(unknown.status).toBe(404);
    }
    expect(await refusedWith({ body: call, headers })).toBe(401);
    const { status } = await gateway.post({ user: "alice", body: call, headers });
    expect(status).toBe(200);
  });

  test("B20 is never the only one there is: a request without its id is in none", async () => {
    await legacyClient(gateway, "alice");
    const headers = { "MCP-Protocol-Version": "2025-11-25" };
    expect(await refusedWith({ user: "alice", body: call, headers })).toBe(400);
  });

  test("B20 cannot be chosen by whoever begins it", async () => {
    const initialize = {
      jsonrpc: "2.0",
      id: 0,
      method: "initialize",
      params: {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "x", version: "1" },
      },
    };
    const headers = { "Mcp-Session-Id": "a".repeat(64) };
    const answer = await gateway.post({ user: "alice", body: initialize, headers });
    expect([answer.status, answer.headers["mcp-session-id"]]).toEqual([404, undefined]);
  });

  test.each(["global", "default", "0", "*", "../", "00000000-0000-0000-0000-000000000000", ""])(
    "B40 with the id %j is no session, and none is taken for it",
    async (id) => {
      await legacyClient(gateway, "alice");
      const headers = { "MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": id };
      expect([400, 404]).toContain(await refusedWith({ user: "alice", body: call, headers }));
    },
  );

  test.each(["default", "global", "H", "h ", "*"])(
    "B40 a server by the name %j is none, and none is taken for it",
    async (server) => {
      const before = reached().length;
      const answer = await modernClient(gateway, "alice").call(`${server}__echo`);
      expect(answer).toHaveProperty("error.code", -32_602);
      expect(reached()).toHaveLength(before);
    },
  );

  test("takes no answer to a question that is another session's", async () => {
    const alice = await legacyClient(gateway, "alice", ableToAll.capabilities);
    const { params } = Object(form({ name: { type: "string" } }));
    const lines = [
      requestLine("q-9", "elicitation/create", params),
      { line: answerLine(words), onAnswer: "q-9" },
    ];
    const opened = await alice.open(
      "tools/call",
      { name: "h__script", arguments: script(...lines) },
      "c",
    );
    await expect.poll(() => opened.messages.length, { timeout: 20_000 }).toBeGreaterThan(0);
    const { id } = Object(opened.messages[0]);
    const stolen = { id, result: { action: "accept", content: { name: "Eve" } } };
    const bob = await legacyClient(gateway, "bob", ableToAll.capabilities);
    const other = await legacyClient(gateway, "alice", ableToAll.capabilities);
    await bob.say(stolen);
    await other.say(stolen);
    await bob.say({ method: "notifications/cancelled", params: { requestId: "c" } });
    await other.say({ method: "notifications/cancelled", params: { requestId: "c" } });
    await alice.say({ id, result: { action: "accept", content: { name: "Ann" } } });
    expect(textOf(answerOf(await opened.ended))).toBe("done");
    const heard = setting.received("h").filter((line) => line.includes('"id":"q-9"'));
    expect(heard).toHaveLength(1);
    expect(heard[0]).toContain("Ann");
  });
});
