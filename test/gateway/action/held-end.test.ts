/**
 * Held calls that come to nothing: nobody comes back for them, so nothing stays open at the server.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { Answer } from "../fake-server.ts";
import { askIn, text, tool } from "../fake-server.ts";
import { modernClient, openGateway, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";
import { able, config, openAsking, retryOf } from "./open-asking.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const invalid = { kind: "error", code: -32_602 };

describe("a held call", () => {
  test("is cancelled at the server when its return cannot be recorded", async () => {
    const { call, sent, disk } = openAsking(policies);
    const asked = await call();
    disk.admit = () => Promise.reject(new Error("disk full"));
    expect(JSON.stringify(readReply(await call(retryOf(asked))))).toContain("audit_unavailable");
    expect(sent()[0]?.signal?.aborted).toBe(true);
  });

  test("is cancelled at the server when its tool is gone by its return", async () => {
    const { call, sent, servers, gateway, client } = openAsking(policies);
    const asked = await call();
    const fake = servers["crm"];
    if (fake === undefined) throw new Error("expected a server");
    fake.lists["tools"] = [];
    fake.say({ method: "notifications/tools/list_changed", params: {} });
    const listed = async () => (await gateway.list(client, "tools")).items.length;
    await expect.poll(listed, { timeout: 30_000 }).toBe(0);
    expect(await call(retryOf(asked))).toMatchObject({ ...invalid, message: /^Unknown tool/ });
    expect(sent()[0]?.signal?.aborted).toBe(true);
  });

  test("is no call of another server that has taken over the name", async () => {
    const bare = { ...config, naming: "bare" };
    const asking: Answer = async (wanted) => {
      await askIn(wanted, "elicitation/create", { message: "which?" });
      return text("done");
    };
    const { call, servers, gateway } = openGateway({
      servers: {
        crm: { tools: [tool("get")], config: bare, answer: asking },
        mail: { tools: [], config: bare },
      },
      policies,
    });
    const client = modernClient({ capabilities: able });
    const asked = await call("get", { client });
    const { crm, mail } = servers;
    if (crm === undefined || mail === undefined) throw new Error("expected two servers");
    crm.lists["tools"] = [];
    mail.lists["tools"] = [tool("get", { description: "another" })];
    for (const fake of [crm, mail]) {
      // Whoever listens on the connection of this client hears it.
      await gateway.awaitChanges(client);
      fake.say({ method: "notifications/tools/list_changed", params: {} });
    }
    const shown = async () => JSON.stringify(await gateway.list(client, "tools"));
    await expect.poll(shown, { timeout: 30_000 }).toContain("another");
    const reply = await call("get", { client, ...retryOf(asked) });
    expect(reply).toMatchObject({ ...invalid, message: /requestState/ });
    expect(mail.sent).toEqual([]);
  });
});
