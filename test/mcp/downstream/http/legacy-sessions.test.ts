/**
 * Sessions of legacy clients: how they begin and end, and for whom they do not exist.
 */
import { describe, expect, test } from "vitest";
import { eventually } from "../../../support/eventually.ts";
import { untilCancelled } from "./fake-gateway.ts";
import { beginSession, call, initialize, legacyRequest } from "./messages.ts";
import { openFront, principal } from "./open-front.ts";

const ping = legacyRequest(1, "ping");

describe("a session", () => {
  test.each(["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])(
    "of revision %s is greeted, used and ended",
    async (version) => {
      const front = await openFront();
      const headers = await beginSession(front, { version });
      const answer = await front.send({ headers, body: call(7, "echo", { a: 1 }) });
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({
        id: 7,
        result: { content: [{ text: 'alice {"a":1}' }] },
      });
      expect(front.actions[0]?.client.protocolVersion).toBe(version);
      expect((await front.send({ method: "DELETE", headers })).status).toBe(204);
      const after = await front.send({ headers, body: ping });
      expect([after.status, after.json.error?.code]).toEqual([404, -32_001]);
      expect(front.forgotten).toHaveLength(1);
    },
  );

  test("has an id that nobody guesses, and no two have the same", async () => {
    const front = await openFront();
    const ids = await Promise.all(Array.from({ length: 20 }, () => beginSession(front)));
    const distinct = new Set(ids.map((headers) => headers["Mcp-Session-Id"]));
    expect(distinct.size).toBe(20);
    for (const id of distinct) expect(id).toMatch(/^[\da-f]{64}$/);
  });

  test("may be used without the version header, which old clients do not send", async () => {
    const front = await openFront();
    const { "MCP-Protocol-Version": _, ...headers } = await beginSession(front, {
      version: "2025-03-26",
    });
    expect((await front.send({ headers, body: ping })).status).toBe(200);
  });

  test("answers errors of methods with status 200, as these revisions do", async () => {
    const front = await openFront();
    const headers = await beginSession(front);
    const answer = await front.send({ headers, body: legacyRequest(1, "unknown/method") });
    expect([answer.status, answer.json.error?.code]).toEqual([200, -32_601]);
  });

  test("takes notifications with 202 and no body", async () => {
    const front = await openFront();
    const headers = await beginSession(front);
    const body = { jsonrpc: "2.0", method: "notifications/roots/list_changed" };
    expect(await front.send({ headers, body })).toMatchObject({ status: 202, text: "" });
  });
});

describe("a session does not exist", () => {
  test("for a request that does not name one", async () => {
    const front = await openFront();
    await beginSession(front);
    const answer = await front.send({ body: call(1) });
    expect([answer.status, answer.json.id]).toEqual([400, undefined].with(1, 1));
    expect(front.actions).toHaveLength(0);
  });

  test.each(["POST", "GET", "DELETE"])("for another principal's %s (B20)", async (method) => {
    const front = await openFront();
    const headers = await beginSession(front);
    const stolen = { ...headers, Authorization: "Bearer bob" };
    const body = method === "POST" ? call(1) : undefined;
    const theirs = await front.send({ method, headers: stolen, body });
    const nobodys = await front.send({
      method,
      headers: { ...stolen, "Mcp-Session-Id": "0".repeat(64) },
      body,
    });
    expect(theirs.status).toBe(404);
    expect(theirs.text).toBe(nobodys.text);
    expect(front.actions).toHaveLength(0);
    expect((await front.send({ headers, body: ping })).status).toBe(200);
  });

  test.each(["", "x", "0".repeat(64), "default", "global"])(
    "under the id %j, and no other is taken for it (B40)",
    async (id) => {
      const front = await openFront();
      const headers = { ...(await beginSession(front)), "Mcp-Session-Id": id };
      expect((await front.send({ headers, body: call(1) })).status).toBe(404);
      expect(front.actions).toHaveLength(0);
    },
  );

  test("for its own principal with fewer rights than it began with", async () => {
    let servers = ["crm", "mail"];
    const front = await openFront({
      authenticate: async () => ({
        ok: true,
        principal: principal("alice", servers),
        expiresAtMs: undefined,
      }),
    });
    const headers = await beginSession(front);
    expect((await front.send({ headers, body: ping })).status).toBe(200);
    servers = ["crm"];
    expect((await front.send({ headers, body: ping })).status).toBe(404);
  });

  test("any more once nothing happened in it for too long", async () => {
    const front = await openFront({
      http: { sessionIdleMs: 1000 },
      limits: { sweepEveryMs: 10 },
    });
    const headers = await beginSession(front);
    front.state.nowMs = 999;
    expect((await front.send({ headers, body: ping })).status).toBe(200);
    front.state.nowMs = 2000;
    await eventually(() => front.forgotten.length === 1);
    expect((await front.send({ headers, body: ping })).status).toBe(404);
  });

  test("any less while it is being listened to", async () => {
    const front = await openFront({
      http: { sessionIdleMs: 1000 },
      limits: { sweepEveryMs: 10 },
    });
    const headers = await beginSession(front);
    const other = await beginSession(front, { user: "bob" });
    const stream = await front.stream({ method: "GET", headers });
    front.state.nowMs = 5000;
    await eventually(() => front.forgotten.length === 1);
    expect((await front.send({ headers: other, body: ping })).status).toBe(404);
    expect((await front.send({ headers, body: ping })).status).toBe(200);
    stream.disconnect();
  });
});

describe("a legacy request is refused", () => {
  test.each(["2026-07-28x", "2023-01-01", "latest", ""])(
    "with the version header %j",
    async (version) => {
      const front = await openFront();
      const headers = { ...(await beginSession(front)), "MCP-Protocol-Version": version };
      expect((await front.send({ headers, body: ping })).status).toBe(400);
      expect((await front.send({ method: "GET", headers })).status).toBe(400);
    },
  );

  test.each([
    { "Mcp-Method": "tools/list" },
    { "Mcp-Name": "other" },
    { "Mcp-Name": "=?base64?b3RoZXI=?=" },
  ])("where a mirroring header contradicts it: %j (B18)", async (mirrors) => {
    const front = await openFront();
    const headers = { ...(await beginSession(front)), ...mirrors };
    const answer = await front.send({ headers, body: call(1) });
    expect([answer.status, answer.json.error?.code]).toEqual([400, -32_020]);
    expect([front.actions.length, front.malformed.length]).toEqual([0, 1]);
  });

  test("where its id is that of a request in flight, which goes on (B6)", async () => {
    const front = await openFront({ act: untilCancelled });
    const headers = await beginSession(front);
    const first = front.send({ headers, body: call(5) });
    await eventually(() => front.actions.length === 1);
    const second = await front.send({ headers, body: call(5) });
    expect([second.status, second.json.id, second.json.error?.code]).toEqual([400, 5, -32_600]);
    expect(front.actions).toHaveLength(1);
    expect(front.actions[0]?.signal.aborted).toBe(false);
    await front.send({ method: "DELETE", headers });
    expect((await first).status).toBe(404);
  });

  test("where a session is begun twice", async () => {
    const front = await openFront();
    const headers = await beginSession(front);
    expect((await front.send({ headers, body: initialize() })).status).toBe(400);
    const unknown = { ...headers, "Mcp-Session-Id": "x" };
    expect((await front.send({ headers: unknown, body: initialize() })).status).toBe(404);
    expect(front.forgotten).toHaveLength(0);
  });
});

describe("the number of sessions is bounded", () => {
  test("and the one idle longest of whoever has most makes room", async () => {
    const front = await openFront({ http: { maxSessions: 3 } });
    const alice = await beginSession(front);
    front.state.nowMs = 1;
    const bobFirst = await beginSession(front, { user: "bob" });
    front.state.nowMs = 2;
    const bobSecond = await beginSession(front, { user: "bob" });
    const carol = await beginSession(front, { user: "carol" });
    const statuses = await Promise.all(
      [alice, bobFirst, bobSecond, carol].map(async (headers) => {
        return (await front.send({ headers, body: ping })).status;
      }),
    );
    expect(statuses).toEqual([200, 404, 200, 200]);
  });

  test("and where all are in use there is no new one", async () => {
    const front = await openFront({ http: { maxSessions: 1 }, act: untilCancelled });
    const headers = await beginSession(front);
    const pending = front.send({ headers, body: call(1) });
    await eventually(() => front.actions.length === 1);
    const refused = await front.send({ body: initialize() });
    expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "10"]);
    await front.send({ method: "DELETE", headers });
    await pending;
    expect((await front.send({ body: initialize() })).status).toBe(200);
  });
});

describe("two clients with equal ids never see each other's results", () => {
  test.each([
    ["of two principals", "alice", "bob"],
    ["of one principal", "alice", "alice"],
  ])("%s", async (_, one, other) => {
    const front = await openFront({
      act: async (request) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
        const { client, subject } = request;
        const args = "argumentsJson" in subject ? subject.argumentsJson : "";
        const value = { of: client.session, args };
        const bytes = Buffer.from(JSON.stringify(value));
        return { kind: "result", origin: "gateway", bytes, value };
      },
    });
    const sessions = await Promise.all([one, other].map((user) => beginSession(front, { user })));
    const calls = sessions.flatMap((headers) =>
      Array.from({ length: 50 }, async (_unused, id) => {
        const { json } = await front.send({ headers, body: call(id, "echo", { id }) });
        return { expected: headers["Mcp-Session-Id"], id, json };
      }),
    );
    for (const { expected, id, json } of await Promise.all(calls)) {
      expect(json).toMatchObject({ id, result: { of: expected, args: JSON.stringify({ id }) } });
    }
  });
});
