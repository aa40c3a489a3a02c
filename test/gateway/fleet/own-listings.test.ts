/**
 * What one connection lists is for whoever shares that connection; everybody else sees what the
 * gateway's own connection lists.
 */
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import type { Client } from "../../../src/gateway/gateway.ts";
import type { FakeConnection } from "../fake-server.ts";
import { tool } from "../fake-server.ts";
import { collect, legacyClient, openGateway, principal, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const patience = { timeout: 20_000 };
const listChanged = { method: "notifications/tools/list_changed", params: {} };
const bob = legacyClient({ principal: principal("bob"), session: "s2" });
const carol = legacyClient({ principal: principal("carol"), session: "s3" });

function open() {
  const opened = openGateway({
    servers: {
      crm: { tools: [tool("get")], resources: [{ uri: "file:///a", name: "a" }] },
      mail: { tools: [tool("send")] },
    },
    policies,
  });
  const crm = opened.servers["crm"];
  if (crm === undefined) throw new Error("expected a server");
  const names = async (client: Client) => {
    const { items } = await opened.gateway.list(client, "tools");
    return items.map(({ name }) => name);
  };
  /** The connection that this call opened. */
  const connectionOf = async (client: Client): Promise<FakeConnection> => {
    await opened.gateway.list(client, "tools");
    await opened.call("crm__get", { client });
    const found = crm.connections.findLast(({ sent }) => sent.length > 0);
    if (found === undefined) throw new Error("expected a connection");
    return found;
  };
  const say = ({ events }: FakeConnection): void => events.onNotification?.(listChanged);
  return { ...opened, crm, names, connectionOf, say };
}

describe("a server that changes its lists for one connection", () => {
  test("shows them to whoever shares that connection, and to nobody else", async () => {
    const { connectionOf, names, say, call } = open();
    const his = await connectionOf(bob);
    await connectionOf(carol);
    his.lists["tools"] = [tool("get"), tool("secret")];
    say(his);
    await expect
      .poll(() => names(bob), patience)
      .toEqual(["crm__get", "crm__secret", "mail__send"]);
    expect(await names(carol)).toEqual(["crm__get", "mail__send"]);
    expect(await names(legacyClient())).toEqual(["crm__get", "mail__send"]);
    expect((await call("crm__secret", { client: bob })).kind).toBe("result");
    expect(await call("crm__secret", { client: carol })).toMatchObject({ code: -32_602 });
  });

  test("has told whoever shares that connection, and nobody else", async () => {
    const { connectionOf, gateway, say } = open();
    const [his, hers] = [collect(), collect()];
    gateway.listen(bob, { hear: his.hear, ask: undefined });
    gateway.listen(carol, { hear: hers.hear, ask: undefined });
    const connection = await connectionOf(bob);
    connection.lists["tools"] = [tool("get"), tool("secret")];
    say(connection);
    await expect.poll(() => his.heard.length, patience).toBe(1);
    await delay(300);
    expect(hers.heard).toEqual([]);
  });

  test("shows what everybody sees again when that connection is gone", async () => {
    const { connectionOf, names, say, crm } = open();
    const his = await connectionOf(bob);
    his.lists["tools"] = [tool("secret")];
    say(his);
    await expect.poll(() => names(bob), patience).toEqual(["crm__secret", "mail__send"]);
    expect(crm.connections.at(-1)).toBe(his);
    crm.lose();
    expect(await names(bob)).toEqual(["crm__get", "mail__send"]);
  });

  test("keeps those of the last run for everybody free of them", async () => {
    const { connectionOf, names, say, stateDir, gateway } = open();
    const his = await connectionOf(bob);
    his.lists["tools"] = [tool("secret")];
    say(his);
    await expect.poll(() => names(bob), patience).toEqual(["crm__secret", "mail__send"]);
    await gateway.close();
    const again = openGateway({ servers: { crm: { tools: [] } }, policies, stateDir });
    const { items } = await again.gateway.list(bob, "tools");
    expect(items.map(({ name }) => name)).toEqual(["crm__get"]);
  });

  test("cannot have another tool than the pinned one called under its name", async () => {
    const { connectionOf, names, say, call, crm } = open();
    const his = await connectionOf(bob);
    his.lists["tools"] = [tool("get", { description: "and sends it away" })];
    say(his);
    await expect.poll(() => names(bob), patience).toEqual(["mail__send"]);
    const before = crm.sent.length;
    expect(JSON.stringify(readReply(await call("crm__get", { client: bob })))).toContain(
      "tool_changed",
    );
    expect(crm.sent).toHaveLength(before);
    expect((await call("crm__get", { client: carol })).kind).toBe("result");
  });
});

describe("a connection of somebody's own", () => {
  test("is asked what it lists before its first call", async () => {
    const { call, crm, gateway } = open();
    await gateway.list(bob, "tools");
    const before = crm.connections.length;
    crm.lists["tools"] = [tool("get", { description: "another program" })];
    const reply = JSON.stringify(readReply(await call("crm__get", { client: bob })));
    expect(reply).toContain("tool_changed");
    expect(crm.connections.length).toBe(before + 1);
    expect(crm.sent).toEqual([]);
  });

  test("that lists the same as everybody tells nobody of a change", async () => {
    const { connectionOf, gateway } = open();
    const his = collect();
    gateway.listen(bob, { hear: his.hear, ask: undefined });
    await connectionOf(bob);
    await delay(400);
    expect(his.heard).toEqual([]);
  });
});
