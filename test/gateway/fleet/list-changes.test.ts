/**
 * When clients are told that lists changed, and who waits for a list that is not there yet.
 */
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { tool } from "../fake-server.ts";
import { collect, legacyClient, openGateway } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const method = "notifications/tools/list_changed";

function open() {
  const servers = { crm: { tools: [tool("get")] }, mail: { tools: [tool("send")] } };
  const gateway = openGateway({ servers, policies });
  const { heard, hear } = collect();
  gateway.gateway.listen(legacyClient(), { hear, ask: undefined });
  return { ...gateway, methods: () => heard.map((notice) => notice.method) };
}

describe("changes of lists", () => {
  test("are none before anybody has seen a list", async () => {
    const { gateway, methods, servers } = open();
    const { mail } = servers;
    if (mail === undefined) throw new Error("expected a server");
    mail.opening = delay(1500);
    await gateway.ready;
    expect(mail.connections).toHaveLength(1);
    await delay(300);
    expect(methods()).toEqual([]);
  });

  test("of several servers at once are told once", async () => {
    const { gateway, methods, servers } = open();
    await gateway.list(legacyClient(), "tools");
    for (const fake of Object.values(servers)) {
      fake.lists["tools"] = [tool("new")];
      fake.say({ method, params: {} });
    }
    await expect.poll(methods, { timeout: 20_000 }).not.toEqual([]);
    await delay(300);
    expect(methods()).toEqual([method]);
  });
});

describe("a call to a server that is not listed yet", () => {
  test("waits for that server and for no other", async () => {
    const { call, servers } = open();
    const { crm, mail } = servers;
    if (crm === undefined || mail === undefined) throw new Error("expected two servers");
    mail.opening = new Promise(() => {});
    crm.opening = delay(1500);
    expect((await call("crm__get")).kind).toBe("result");
    expect(mail.connections).toEqual([]);
  });
});
