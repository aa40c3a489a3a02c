/**
 * A server on its way to another release under a running gateway: nothing that was decided for one
 * release reaches a program of another, and whoever comes meanwhile waits.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { text, tool } from "./fake-server.ts";
import { legacyClient, readReply } from "./open-gateway.ts";
import { openReleased, pinsOf, releaseOf } from "./released-gateway.ts";
import type { TestPolicies } from "./test-policies.ts";
import { compileTestPolicies } from "./test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const patience = { timeout: 30_000 };
const other = tool("get", { description: "of the next release" });
const next = releaseOf("2.0.0", { pins: pinsOf(other, tool("added")) });

function deferred() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

function open() {
  const gateway = openReleased(policies, releaseOf("1.0.0"));
  const become = (): void => {
    gateway.crm.serverInfo = { name: "crm", version: "2.0.0" };
    gateway.crm.lists["tools"] = [other, tool("added")];
  };
  return { ...gateway, become };
}

describe("a move to another release", () => {
  test("ends the old program before the policies turn, and meets the new one after", async () => {
    const { become, call, crm, events, gateway, under } = open();
    await call("crm__get");
    const turnPolicies = async (): Promise<void> => {
      events.push("turned");
      expect(crm.connections.map(({ isClosed }) => isClosed)).toEqual([true]);
      become();
    };
    await gateway.move({ servers: [under(next)], turnPolicies });
    const reply = readReply(await call("crm__added"));
    expect(reply["isError"]).not.toBe(true);
    expect(events.indexOf("turned")).toBeLessThan(events.lastIndexOf("sent tools/call"));
    expect(crm.connections.at(-1)).toMatchObject({ isClosed: false });
    expect((await gateway.list(legacyClient(), "tools")).items).toMatchObject([
      { name: "crm__get", description: "of the next release" },
      { name: "crm__added" },
    ]);
  });

  test("lets what is on its way end, and what comes meanwhile wait", async () => {
    const { become, call, crm, gateway, under } = open();
    const first = deferred();
    crm.answer = async () => {
      await first.opened;
      return text("old");
    };
    const early = call("crm__get");
    await expect.poll(() => crm.sent.length, patience).toBe(1);
    const turned = deferred();
    const moved = gateway.move({
      servers: [under(next)],
      turnPolicies: async () => {
        become();
        crm.answer = () => text("new");
        await turned.opened;
      },
    });
    const late = call("crm__get");
    first.open();
    expect(JSON.stringify(readReply(await early))).toContain("old");
    expect(crm.sent).toHaveLength(1);
    turned.open();
    await moved;
    expect(JSON.stringify(readReply(await late))).toContain("new");
  });

  test("waits for no call without end, and says that it may have run", async () => {
    const { become, call, crm, gateway, under } = open();
    crm.answer = () => new Promise(() => {});
    const hung = call("crm__get");
    await expect.poll(() => crm.sent.length, patience).toBe(1);
    const turnPolicies = async (): Promise<void> => become();
    await gateway.move({ servers: [under(next)], turnPolicies });
    expect(crm.connections[0]).toMatchObject({ isClosed: true });
    crm.answer = () => text("new");
    expect(JSON.stringify(readReply(await call("crm__get")))).toContain("new");
    void hung;
  }, 60_000);

  test("sends nothing that was decided for the release before", async () => {
    const { admissions, become, call, crm, disk, gateway, outcomes, under } = open();
    const decided = deferred();
    const recorded = deferred();
    await call("crm__get");
    disk.admit = async () => {
      decided.open();
      await recorded.opened;
    };
    const caught = call("crm__get");
    await decided.opened;
    const turnPolicies = async (): Promise<void> => become();
    await gateway.move({ servers: [under(next)], turnPolicies });
    recorded.open();
    const reply = readReply(await caught);
    expect(admissions.at(-1)).toMatchObject({ answer: { allow: true } });
    expect(reply).toMatchObject({ kind: "error", code: -32_603 });
    expect(outcomes.at(-1)).toMatchObject({ outcome: "not_forwarded" });
    expect(crm.sent).toHaveLength(1);
  });

  test("denies what runs as another program than the next release has", async () => {
    const { call, crm, gateway, under } = open();
    await call("crm__get");
    await gateway.move({ servers: [under(next)], turnPolicies: async () => {} });
    expect(JSON.stringify(readReply(await call("crm__get")))).toContain("release_mismatch");
    expect(crm.sent).toHaveLength(1);
  });

  test("goes on where its policies fail, and denies by what they are", async () => {
    const { become, call, crm, gateway, log, under } = open();
    const bundles = new Map([["crm", `sha256:${"0".repeat(64)}`]]);
    become();
    const turnPolicies = async (): Promise<void> => {
      throw new Error("no registry");
    };
    await gateway.move({ servers: [under({ ...next, bundles })], turnPolicies });
    expect(JSON.stringify(readReply(await call("crm__get")))).toContain("release_mismatch");
    expect(crm.sent).toEqual([]);
    expect(JSON.stringify(log.lines)).toContain("no registry");
  });

  test("tells clients, keeps who listens, and asks them what the new program asks", async () => {
    const config = { to_client: ["elicitation"] };
    const settings = { tools: [tool("get")], config };
    const { crm, call, gateway, under } = openReleased(policies, releaseOf("1.0.0"), settings);
    const heard: string[] = [];
    const asked: string[] = [];
    const client = legacyClient({ capabilities: { elicitation: { form: {} } } });
    const ask = async ({ paramsJson }: { readonly paramsJson: string }) => {
      asked.push(paramsJson);
      return { kind: "result", resultJson: '{"action":"decline"}' } as const;
    };
    gateway.listen(client, { hear: ({ method }) => void heard.push(method), ask });
    await gateway.ready;
    await gateway.list(client, "tools");
    await call("crm__get", { client, ask });
    crm.serverInfo = { name: "crm", version: "2.0.0" };
    crm.lists["tools"] = [other, tool("added")];
    await gateway.move({ servers: [under(next)], turnPolicies: async () => {} });
    await expect.poll(() => heard, patience).toContain("notifications/tools/list_changed");
    await call("crm__added", { client, ask });
    const { signal } = new AbortController();
    const params = { message: "hello?", requestedSchema: { type: "object", properties: {} } };
    const { events } = crm.connections.findLast(({ isClosed }) => !isClosed) ?? {};
    const question = { method: "elicitation/create", params, signal, isAttributed: false };
    expect(await events?.onRequest?.(question)).toMatchObject({ kind: "result" });
    expect(asked).toHaveLength(1);
  });
});
