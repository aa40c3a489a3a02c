/**
 * How changes of lists are heard of a modern server: on a request that stays open, and is made again.
 */
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import type { ListKind } from "../../../src/gateway/gateway.ts";
import type { UpstreamReply } from "../../../src/mcp/upstream/upstream-connection.ts";
import type { Answer, FakeServerSettings } from "../fake-server.ts";
import { result, tool } from "../fake-server.ts";
import type { OpenOptions } from "../open-gateway.ts";
import { legacyClient, openGateway } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const crm: FakeServerSettings = {
  tools: [tool("get")],
  prompts: [{ name: "greet" }],
  resources: [{ uri: "file:///a", name: "a" }],
};

function open(servers: OpenOptions["servers"] = { crm }, more: Partial<OpenOptions> = {}) {
  const gateway = openGateway({ servers, policies, ...more });
  const names = async (kind: ListKind = "tools") => {
    const { items } = await gateway.gateway.list(legacyClient(), kind);
    return items.map(({ uri, name }) => uri ?? name);
  };
  return { ...gateway, names };
}

const listChanged = { method: "notifications/tools/list_changed", params: {} };

describe("a server of the modern era", () => {
  test("is listened to on a request of its own", async () => {
    const opened = open({ crm: { ...crm, era: "modern" } });
    await opened.names();
    await expect.poll(() => opened.servers["crm"]?.sent.length, { timeout: 20_000 }).toBe(1);
    const [listening] = opened.servers["crm"]?.sent ?? [];
    expect(listening).toMatchObject({
      method: "subscriptions/listen",
      params: {
        notifications:
          '{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true}',
      },
      timeoutMs: Infinity,
    });
    const fake = opened.servers["crm"];
    if (fake === undefined) throw new Error("expected a server");
    fake.lists["tools"] = [tool("new")];
    listening?.onNotification?.(listChanged);
    await expect.poll(() => opened.names(), { timeout: 20_000 }).toEqual(["crm__new"]);
    await opened.gateway.close();
    expect(listening?.signal?.aborted).toBe(true);
  });

  test("is listened to again where it ends that request", async () => {
    let end: ((reply: UpstreamReply) => void) | undefined;
    const answer: Answer = (wanted) => {
      if (wanted.method !== "subscriptions/listen") return undefined;
      wanted.onNotification?.({ method: "notifications/subscriptions/acknowledged", params: {} });
      return new Promise((resolve) => {
        end = resolve;
      });
    };
    const opened = open({ crm: { ...crm, era: "modern", answer } });
    await opened.names();
    const fake = opened.servers["crm"];
    if (fake === undefined) throw new Error("expected a server");
    await expect.poll(() => fake.sent.length, { timeout: 20_000 }).toBe(1);
    fake.lists["tools"] = [tool("new")];
    end?.(result({}));
    await expect.poll(() => fake.sent.length, { timeout: 20_000 }).toBe(2);
    await expect.poll(() => opened.names(), { timeout: 20_000 }).toEqual(["crm__new"]);
    end?.({ kind: "error", error: { code: -32_603, message: "as the test says" } });
    await expect.poll(() => fake.sent.length, { timeout: 20_000 }).toBe(3);
  });

  test("that refuses to tell is asked once", async () => {
    const answer: Answer = (wanted) =>
      wanted.method === "subscriptions/listen"
        ? { kind: "error", error: { code: -32_601, message: "Method not found" } }
        : undefined;
    const opened = open({ crm: { ...crm, era: "modern", answer } });
    await opened.names();
    await delay(1500);
    expect(opened.servers["crm"]?.sent).toHaveLength(1);
  });

  test("that tells nothing is not listened to", async () => {
    const opened = open({ crm: { ...crm, era: "modern", capabilities: { tools: {} } } });
    await opened.names();
    expect(opened.servers["crm"]?.sent).toEqual([]);
  });
});
