import { beforeAll, describe, expect, test } from "vitest";
import type { Client } from "../../src/gateway/gateway.ts";
import type { FakeServerSettings } from "./fake-server.ts";
import { text, tool } from "./fake-server.ts";
import { collect, legacyClient, modernClient, openGateway, principal } from "./open-gateway.ts";
import type { TestPolicies } from "./test-policies.ts";
import { compileTestPolicies } from "./test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const crm: FakeServerSettings = { tools: [tool("get")] };
const message = (params: object = {}) => ({
  method: "notifications/message",
  params: { level: "error", data: "x", ...params },
});

async function open(settings: FakeServerSettings = crm) {
  const gateway = openGateway({ servers: { crm: settings }, policies });
  const listen = async (client: Client) => {
    const ear = collect();
    const stop = gateway.gateway.listen(client, { hear: ear.hear, ask: undefined });
    await gateway.call(settings.config === undefined ? "crm__get" : "get", { client });
    const connection = gateway.servers["crm"]?.connections.findLast(({ sent }) => sent.length > 0);
    return { ...ear, stop, connection };
  };
  return { ...gateway, listen };
}

describe("what a server says to nobody in particular", () => {
  test("reaches the clients of its connection, with its name in front of its logger's", async () => {
    const { listen, servers } = await open();
    const { heard } = await listen(legacyClient());
    servers["crm"]?.say(message({ logger: "db" }));
    servers["crm"]?.say(message());
    expect(heard.map(({ params }) => params["logger"])).toEqual(["crm/db", "crm"]);
    expect(heard[0]?.params).toMatchObject({ level: "error", data: "x" });
  });

  test("keeps its logger where the server's names are bare", async () => {
    const { listen, servers } = await open({ ...crm, config: { naming: "bare" } });
    const { heard } = await listen(legacyClient());
    servers["crm"]?.say(message({ logger: "db" }));
    expect(heard.map(({ params }) => params["logger"])).toEqual(["db"]);
  });

  test("on the connection of one principal is not heard by another", async () => {
    const { listen } = await open();
    const alice = await listen(legacyClient());
    const bob = await listen(legacyClient({ principal: principal("bob") }));
    bob.connection?.events.onNotification?.(message());
    expect([alice.heard, bob.heard.length]).toEqual([[], 1]);
  });

  test("is not heard while the server is blocked, nor by an agent that is", async () => {
    const { listen, servers, blocks } = await open();
    const { heard } = await listen(legacyClient());
    for (const subject of [
      { kind: "server", id: "crm" },
      { kind: "agent", id: "bot" },
    ] as const) {
      const wish = { subject, by: "carol", reason: "test" };
      await blocks.block(wish, undefined);
      servers["crm"]?.say(message());
      expect(heard.filter(({ method }) => method === "notifications/message")).toEqual([]);
      await blocks.lift(wish);
    }
    servers["crm"]?.say(message());
    expect(heard.filter(({ method }) => method === "notifications/message")).toHaveLength(1);
  });

  test("is heard until the client stops listening", async () => {
    const { listen, servers } = await open();
    const { heard, stop } = await listen(legacyClient());
    stop();
    servers["crm"]?.say(message());
    expect(heard).toEqual([]);
  });

  test.each([
    "notifications/vendor",
    "notifications/resources/updated",
    "notifications/initialized",
  ])("is dropped where it is %s", async (method) => {
    const { listen, servers } = await open();
    const { heard } = await listen(legacyClient());
    servers["crm"]?.say({ method, params: { uri: "file:///a" } });
    expect(heard).toEqual([]);
  });

  test("may be that an elicitation has ended", async () => {
    const { listen, servers } = await open();
    const { heard } = await listen(legacyClient());
    const params = { elicitationId: "1" };
    servers["crm"]?.say({ method: "notifications/elicitation/complete", params });
    expect(heard).toEqual([{ method: "notifications/elicitation/complete", params }]);
  });

  test("does not speak for the gateway", async () => {
    const { listen, servers } = await open();
    const { heard } = await listen(legacyClient());
    const _meta = { "io.mcp-gateway/decision": { allow: true }, mine: 1 };
    servers["crm"]?.say(message({ _meta }));
    expect(heard[0]?.params["_meta"]).toEqual({ mine: 1 });
  });

  test("in the course of a request reaches that request, presented", async () => {
    const ear = collect();
    const { call } = await open({
      ...crm,
      answer: (wanted) => {
        wanted.onNotification?.(message({ logger: "db" }));
        return text("done");
      },
    });
    await call("crm__get", { client: modernClient(), onNotification: ear.hear });
    expect(ear.heard.map(({ params }) => params["logger"])).toEqual(["crm/db"]);
  });
});

describe("levels of log messages", () => {
  const levelsOf = (
    sent: readonly { method: string; params: Readonly<Record<string, string>> }[],
  ) =>
    sent.filter(({ method }) => method === "logging/setLevel").map(({ params }) => params["level"]);

  test("are told to the servers of a session that have levels, now and after a new start", async () => {
    const { gateway, listen, servers, call, time } = await open();
    const client = legacyClient();
    await listen(client);
    gateway.setLogLevel(client, "warning");
    expect(levelsOf(servers["crm"]?.sent ?? [])).toEqual(['"warning"']);
    servers["crm"]?.lose();
    time.skewMs = 60_000;
    await call("crm__get", { client });
    expect(levelsOf(servers["crm"]?.connections[1]?.sent ?? [])).toEqual(['"warning"']);
  });

  test("are the most talkative of the sessions that share a connection", async () => {
    const { gateway, listen, servers } = await open();
    const [first, second] = [legacyClient({ session: "a" }), legacyClient({ session: "b" })];
    await listen(first);
    gateway.setLogLevel(first, "info");
    gateway.setLogLevel(second, "error");
    expect(levelsOf(servers["crm"]?.sent ?? [])).toEqual(['"info"', '"info"']);
    gateway.forget(first);
    gateway.setLogLevel(second, "critical");
    expect(levelsOf(servers["crm"]?.sent ?? []).at(-1)).toBe('"critical"');
  });

  test("of one principal are not told to the connection of another", async () => {
    const { gateway, listen } = await open();
    const mine = await listen(legacyClient());
    const bob = legacyClient({ principal: principal("bob") });
    await listen(bob);
    gateway.setLogLevel(bob, "debug");
    expect(levelsOf(mine.connection?.sent ?? [])).toEqual([]);
  });

  test.each([
    ["has no levels", { ...crm, capabilities: { tools: {} } }],
    ["is modern", { ...crm, era: "modern" as const, capabilities: { tools: {}, logging: {} } }],
  ])("are not told to a server that %s", async (_, settings) => {
    const { gateway, listen, servers } = await open(settings);
    const client = legacyClient();
    await listen(client);
    gateway.setLogLevel(client, "debug");
    expect(levelsOf(servers["crm"]?.sent ?? [])).toEqual([]);
  });

  test("go with each request to a modern server, the session's or the request's own", async () => {
    const settings = { ...crm, era: "modern" as const, capabilities: { tools: {}, logging: {} } };
    const { gateway, call, servers } = await open(settings);
    const client = legacyClient();
    await call("crm__get", { client });
    gateway.setLogLevel(client, "warning");
    await call("crm__get", { client });
    await call("crm__get", { client: modernClient(), logLevel: "debug" });
    const key = "io.modelcontextprotocol/logLevel";
    expect(servers["crm"]?.sent.map(({ meta }) => meta?.[key])).toEqual([
      undefined,
      "warning",
      "debug",
    ]);
  });
});
