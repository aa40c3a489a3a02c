import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import type { ListKind } from "../../../src/gateway/gateway.ts";
import type { FakeServerSettings } from "../fake-server.ts";
import { tool } from "../fake-server.ts";
import type { OpenGateway, OpenOptions } from "../open-gateway.ts";
import { collect, legacyClient, modernClient, openGateway, readReply } from "../open-gateway.ts";
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

/** A gateway that was open once, so that its lists are kept. */
async function reopen(servers: OpenOptions["servers"], later = servers): Promise<Reopened> {
  const first = open(servers);
  await first.names();
  await first.gateway.close();
  return open(later, { stateDir: first.stateDir });
}
type Reopened = ReturnType<typeof open>;

const listChanged = { method: "notifications/tools/list_changed", params: {} };
const methodsOf = ({ heard }: ReturnType<typeof collect>) => heard.map(({ method }) => method);
const connectionsOf = ({ servers }: OpenGateway, id = "crm") => servers[id]?.connections ?? [];

describe("a server that was listed before", () => {
  test("is listed and greeted without being started", async () => {
    const again = await reopen({ crm });
    expect(await again.names()).toEqual(["crm__get"]);
    expect(await again.names("prompts")).toEqual(["crm__greet"]);
    expect(await again.names("resources")).toEqual(["file:///a"]);
    expect(again.gateway.greet(legacyClient()).capabilities).toHaveProperty("prompts");
    expect(connectionsOf(again)).toEqual([]);
  });

  test("is started by the first request, and its lists are read anew", async () => {
    const more = { ...crm, tools: [tool("get"), tool("new")] };
    const again = await reopen({ crm }, { crm: more });
    const ear = collect();
    again.gateway.listen(legacyClient(), { hear: ear.hear, ask: undefined });
    expect(await again.names()).toEqual(["crm__get"]);
    expect(readReply(await again.call("crm__get"))).toMatchObject({ content: [{ text: "done" }] });
    await expect.poll(() => again.names(), { timeout: 20_000 }).toEqual(["crm__get", "crm__new"]);
    await expect.poll(() => methodsOf(ear), { timeout: 20_000 }).toContain(listChanged.method);
  });

  test("is started for the first list where it was read long ago", async () => {
    const again = await reopen({ crm });
    again.time.skewMs = 2 * 60 * 60 * 1000;
    expect(await again.names()).toEqual(["crm__get"]);
    await expect.poll(() => connectionsOf(again).length, { timeout: 20_000 }).toBe(1);
  });

  test("is listed again on the connection that stands where it was read long ago", async () => {
    const opened = open();
    expect(await opened.names()).toEqual(["crm__get"]);
    const fake = opened.servers["crm"];
    if (fake === undefined) throw new Error("expected a server");
    fake.lists["tools"] = [tool("new")];
    opened.time.skewMs = 2 * 60 * 60 * 1000;
    await expect.poll(() => opened.names(), { timeout: 20_000 }).toEqual(["crm__new"]);
    expect(connectionsOf(opened)).toHaveLength(1);
  });

  test("under another configuration is another server, and nothing of it is kept", async () => {
    const other = { ...crm, config: { args: ["--other"] } };
    const again = await reopen({ crm }, { crm: other });
    expect(await again.names()).toEqual(["crm__get"]);
    expect(connectionsOf(again)).toHaveLength(1);
  });

  test("is asked before the first call whether it is as it was pinned", async () => {
    const changed = { ...crm, tools: [tool("get", { description: "now it sends mail" })] };
    const again = await reopen({ crm }, { crm: changed });
    expect(await again.names()).toEqual(["crm__get"]);
    const reply = JSON.stringify(readReply(await again.call("crm__get")));
    expect(reply).toContain("tool_changed");
    expect(again.servers["crm"]?.sent).toEqual([]);
    expect(await again.names()).toEqual([]);
    expect(again.admissions).toMatchObject([{ answer: { reasons: ["tool_changed"] } }]);
  });
});

describe("a server that is started for the first time", () => {
  test("is waited for by a call, and by no call to another server", async () => {
    const opened = open({ crm, slow: { tools: [tool("get")] } });
    let release = (): void => {};
    const slow = opened.servers["slow"];
    if (slow === undefined) throw new Error("expected a server");
    slow.opening = new Promise((resolve) => {
      release = resolve;
    });
    expect((await opened.call("crm__get")).kind).toBe("result");
    const waiting = opened.call("slow__get");
    await delay(50);
    expect(slow.sent).toEqual([]);
    release();
    expect((await waiting).kind).toBe("result");
  });

  test("that does not start takes away nothing but its own", async () => {
    const opened = open({ crm, dead: { tools: [tool("get")] } });
    const dead = opened.servers["dead"];
    if (dead === undefined) throw new Error("expected a server");
    dead.opening = delay(1).then(() => {
      throw new Error("no such program");
    });
    dead.opening.catch(() => {});
    expect(await opened.names()).toEqual(["crm__get"]);
    expect(await opened.call("dead__get")).toMatchObject({ kind: "error", code: -32_602 });
    expect((await opened.call("crm__get")).kind).toBe("result");
  });

  test("of which a list fails is listed when it was read whole", async () => {
    const opened = open();
    opened.servers["crm"]?.failing.add("prompts");
    expect(await opened.names()).toEqual([]);
    opened.servers["crm"]?.failing.delete("prompts");
    opened.servers["crm"]?.say(listChanged);
    await expect.poll(() => opened.names(), { timeout: 20_000 }).toEqual(["crm__get"]);
  });
});

describe("a server that says that its lists changed", () => {
  test("is listed again, and every client is told once for a burst of notices", async () => {
    const opened = open();
    const [first, second] = [collect(), collect()];
    opened.gateway.listen(legacyClient(), { hear: first.hear, ask: undefined });
    opened.gateway.listen(modernClient(), { hear: second.hear, ask: undefined });
    expect(await opened.names()).toEqual(["crm__get"]);
    const fake = opened.servers["crm"];
    if (fake === undefined) throw new Error("expected a server");
    fake.lists["tools"] = [tool("get"), tool("new")];
    for (let count = 0; count < 20; count += 1) fake.say(listChanged);
    await expect.poll(() => opened.names(), { timeout: 20_000 }).toEqual(["crm__get", "crm__new"]);
    await delay(300);
    expect(methodsOf(first)).toEqual([listChanged.method]);
    expect(methodsOf(second)).toEqual([listChanged.method]);
  });

  test("tells of resources for their templates too, and once", async () => {
    const opened = open();
    const ear = collect();
    opened.gateway.listen(legacyClient(), { hear: ear.hear, ask: undefined });
    await opened.names();
    opened.servers["crm"]?.say({ method: "notifications/resources/list_changed", params: {} });
    await expect
      .poll(() => methodsOf(ear), { timeout: 20_000 })
      .toEqual(["notifications/resources/list_changed"]);
  });

  test("keeps the list that it cannot give any more, and gets the others", async () => {
    const opened = open();
    expect(await opened.names("prompts")).toEqual(["crm__greet"]);
    const fake = opened.servers["crm"];
    if (fake === undefined) throw new Error("expected a server");
    fake.failing.add("prompts");
    fake.lists["tools"] = [tool("new")];
    fake.say(listChanged);
    await expect.poll(() => opened.names(), { timeout: 20_000 }).toEqual(["crm__new"]);
    expect(await opened.names("prompts")).toEqual(["crm__greet"]);
  });

  test("has a tool that it describes otherwise hidden, and denied when it is called", async () => {
    const opened = open();
    expect(await opened.names()).toEqual(["crm__get"]);
    const fake = opened.servers["crm"];
    if (fake === undefined) throw new Error("expected a server");
    fake.lists["tools"] = [tool("get", { description: "other" }), tool("new")];
    fake.say(listChanged);
    await expect.poll(() => opened.names(), { timeout: 20_000 }).toEqual(["crm__new"]);
    expect(JSON.stringify(readReply(await opened.call("crm__get")))).toContain("tool_changed");
    expect(fake.sent).toEqual([]);
    fake.lists["tools"] = [tool("get")];
    fake.say(listChanged);
    await expect.poll(() => opened.names(), { timeout: 20_000 }).toEqual(["crm__get"]);
    expect((await opened.call("crm__get")).kind).toBe("result");
  });
});

describe("connections to a server", () => {
  const sessionShared = { ...crm, config: { sharing: "session" } };

  test("are one for each principal, or one for each of its legacy sessions", async () => {
    const opened = open({ crm, own: sessionShared });
    const [first, second] = [legacyClient({ session: "a" }), legacyClient({ session: "b" })];
    for (const client of [first, second, modernClient()]) {
      await opened.call("crm__get", { client });
      await opened.call("own__get", { client });
    }
    const used = (id: string) => connectionsOf(opened, id).filter(({ sent }) => sent.length > 0);
    expect(used("crm").map(({ sent }) => sent.length)).toEqual([3]);
    expect(used("own").map(({ sent }) => sent.length)).toEqual([1, 1, 1]);
  });

  test("of a session end with it, and of no other", async () => {
    const opened = open({ crm, own: sessionShared });
    const [first, second] = [legacyClient({ session: "a" }), legacyClient({ session: "b" })];
    for (const client of [first, second]) {
      await opened.call("crm__get", { client });
      await opened.call("own__get", { client });
    }
    opened.gateway.forget(first);
    const open2 = connectionsOf(opened, "own").filter(
      ({ sent, isClosed }) => sent.length > 0 && !isClosed,
    );
    expect(open2).toHaveLength(1);
    expect(connectionsOf(opened, "crm").every(({ isClosed }) => !isClosed)).toBe(true);
    expect((await opened.call("own__get", { client: second })).kind).toBe("result");
  });

  test("are told of changed roots where the server may ask for the client's own", async () => {
    const asks = { ...crm, config: { to_client: ["roots"], sharing: "principal" } };
    const fixed = { ...crm, config: { ...asks.config, roots: [{ uri: "file:///w" }] } };
    const opened = open({ crm, asks, fixed });
    for (const id of ["crm", "asks", "fixed"]) {
      const ask = async () => ({ kind: "error", code: 1, message: "" }) as const;
      await opened.call(`${id}__get`, { ask });
    }
    opened.gateway.rootsChanged(legacyClient());
    const told = (id: string) => connectionsOf(opened, id).flatMap(({ notified }) => notified);
    expect([told("crm"), told("asks"), told("fixed")]).toEqual([
      [],
      ["notifications/roots/list_changed"],
      [],
    ]);
  });

  test("that are lost are opened anew for the next request", async () => {
    const opened = open();
    await opened.call("crm__get");
    opened.servers["crm"]?.lose();
    opened.time.skewMs = 60_000;
    expect(readReply(await opened.call("crm__get"))).toMatchObject({
      content: [{ text: "done" }],
    });
    expect(connectionsOf(opened)).toHaveLength(2);
  });

  test("end with the gateway", async () => {
    const opened = open();
    await opened.call("crm__get");
    await opened.gateway.close();
    expect(connectionsOf(opened).every(({ isClosed }) => isClosed)).toBe(true);
  });
});

describe("a server that is disabled", () => {
  test("is neither started nor there", async () => {
    const opened = open({ crm, off: { tools: [tool("get")], config: { disabled: true } } });
    expect(await opened.names()).toEqual(["crm__get"]);
    expect(await opened.call("off__get")).toMatchObject({ kind: "error", code: -32_602 });
    expect(connectionsOf(opened, "off")).toEqual([]);
  });
});
