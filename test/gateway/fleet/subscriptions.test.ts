import { beforeAll, describe, expect, test } from "vitest";
import type { Client, Subject } from "../../../src/gateway/gateway.ts";
import type { UpstreamReply } from "../../../src/mcp/upstream/upstream-connection.ts";
import type { Answer, FakeServerSettings } from "../fake-server.ts";
import { result } from "../fake-server.ts";
import { collect, legacyClient, modernClient, openGateway, principal } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const files: FakeServerSettings = {
  resources: [
    { uri: "file:///a", name: "a" },
    { uri: "file:///b", name: "b" },
  ],
};
const updated = "notifications/resources/updated";
const subscribe = (uri: string): Subject => ({ type: "resource_subscribe", uri });

function open(settings: FakeServerSettings = files) {
  const gateway = openGateway({ servers: { files: settings }, policies });
  const listen = (client: Client) => {
    const ear = collect();
    const stop = gateway.gateway.listen(client, { hear: ear.hear, ask: undefined });
    const uris = () =>
      ear.heard.filter(({ method }) => method === updated).map(({ params }) => params["uri"]);
    return { client, stop, uris };
  };
  const sent = () =>
    (gateway.servers["files"]?.sent ?? []).map(({ method, params }) =>
      [method.replace("resources/", ""), JSON.parse(params["uri"] ?? "null")].join(" "),
    );
  const say = (uri: string) => gateway.servers["files"]?.say({ method: updated, params: { uri } });
  return { ...gateway, listen, sent, say };
}

describe("subscriptions to a legacy server", () => {
  test("are one upstream for the sessions of a principal, and each session hears of it", async () => {
    const { act, listen, sent, say } = open();
    const [first, second] = [
      listen(legacyClient({ session: "a" })),
      listen(legacyClient({ session: "b" })),
    ];
    for (const { client } of [first, second]) {
      expect((await act(subscribe("file:///a"), { client })).kind).toBe("result");
    }
    expect(sent()).toEqual(["subscribe file:///a"]);
    say("file:///a");
    say("file:///b");
    expect([first.uris(), second.uris()]).toEqual([["file:///a"], ["file:///a"]]);
  });

  test("are decided for each client, and recorded", async () => {
    const { act, listen, admissions } = open();
    for (const session of ["a", "b"]) {
      await act(subscribe("file:///a"), { client: listen(legacyClient({ session })).client });
    }
    expect(admissions.map(({ actionType }) => actionType)).toEqual([
      "resource_subscribe",
      "resource_subscribe",
    ]);
  });

  test("end with the last client, and until then for the client that ended its own", async () => {
    const { act, gateway, listen, sent, say } = open();
    const [first, second] = [
      listen(legacyClient({ session: "a" })),
      listen(legacyClient({ session: "b" })),
    ];
    for (const { client } of [first, second]) await act(subscribe("file:///a"), { client });
    await gateway.unsubscribe(first.client, "file:///a");
    await gateway.unsubscribe(first.client, "file:///a");
    say("file:///a");
    expect([first.uris(), second.uris()]).toEqual([[], ["file:///a"]]);
    expect(sent()).toEqual(["subscribe file:///a"]);
    await gateway.unsubscribe(second.client, "file:///a");
    expect(sent()).toEqual(["subscribe file:///a", "unsubscribe file:///a"]);
    say("file:///a");
    expect(second.uris()).toEqual(["file:///a"]);
  });

  test("end with their session", async () => {
    const { act, gateway, listen, sent } = open();
    const { client } = listen(legacyClient());
    await act(subscribe("file:///a"), { client });
    await act(subscribe("file:///b"), { client });
    gateway.forget(client);
    await expect
      .poll(() => sent().toSorted(), { timeout: 20_000 })
      .toEqual([
        "subscribe file:///a",
        "subscribe file:///b",
        "unsubscribe file:///a",
        "unsubscribe file:///b",
      ]);
  });

  test("of one principal are nothing to another", async () => {
    const { act, gateway, listen, servers, sent } = open();
    const mine = listen(legacyClient());
    const other = listen(legacyClient({ principal: principal("bob") }));
    await act(subscribe("file:///a"), { client: mine.client });
    await act(subscribe("file:///b"), { client: other.client });
    const [first, second] = (servers["files"]?.connections ?? []).filter(
      ({ sent: own }) => own.length > 0,
    );
    first?.events.onNotification?.({ method: updated, params: { uri: "file:///b" } });
    first?.events.onNotification?.({ method: updated, params: { uri: "file:///a" } });
    second?.events.onNotification?.({ method: updated, params: { uri: "file:///a" } });
    expect([mine.uris(), other.uris()]).toEqual([["file:///a"], []]);
    await gateway.unsubscribe(other.client, "file:///a");
    expect(sent()).not.toContain("unsubscribe file:///a");
  });

  test("that the server refuses are none, and may be tried again", async () => {
    const { act, listen, servers, say } = open();
    const { client, uris } = listen(legacyClient());
    const fake = servers["files"];
    if (fake === undefined) throw new Error("expected a server");
    fake.answer = () => ({ kind: "error", error: { code: -32_603, message: "no" } });
    expect(await act(subscribe("file:///a"), { client })).toMatchObject({ kind: "error" });
    say("file:///a");
    expect(uris()).toEqual([]);
    fake.answer = () => result({});
    expect((await act(subscribe("file:///a"), { client })).kind).toBe("result");
    say("file:///a");
    expect(uris()).toEqual(["file:///a"]);
  });

  test("that the server refuses are none for everybody who asked meanwhile", async () => {
    const { act, listen, servers } = open();
    const fake = servers["files"];
    if (fake === undefined) throw new Error("expected a server");
    let refuse = (): void => {};
    fake.answer = () =>
      new Promise((resolve) => {
        refuse = () => resolve({ kind: "error", error: { code: -32_603, message: "no" } });
      });
    const replies = ["a", "b"].map((session) =>
      act(subscribe("file:///a"), { client: listen(legacyClient({ session })).client }),
    );
    await expect.poll(() => fake.sent.length, { timeout: 20_000 }).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    refuse();
    expect((await Promise.all(replies)).map(({ kind }) => kind)).toEqual(["error", "error"]);
  });

  test("are made again after their connection was lost, and tell that something may have changed", async () => {
    const { act, listen, servers, sent, time } = open();
    const { client, uris } = listen(legacyClient());
    await act(subscribe("file:///a"), { client });
    servers["files"]?.lose();
    time.skewMs = 60_000;
    await expect.poll(() => sent().length, { timeout: 20_000 }).toBe(2);
    expect(sent()).toEqual(["subscribe file:///a", "subscribe file:///a"]);
    await expect.poll(() => uris(), { timeout: 20_000 }).toEqual(["file:///a"]);
  });

  test("that the server refuses after a loss end, are told of, and may be made anew", async () => {
    const { act, listen, servers, sent, say, time } = open();
    const { client, uris } = listen(legacyClient());
    await act(subscribe("file:///a"), { client });
    const fake = servers["files"];
    if (fake === undefined) throw new Error("expected a server");
    fake.answer = () => ({ kind: "error", error: { code: -32_603, message: "no" } });
    fake.lose();
    time.skewMs = 60_000;
    await expect.poll(() => uris(), { timeout: 20_000 }).toEqual(["file:///a"]);
    say("file:///a");
    expect(uris()).toEqual(["file:///a"]);
    fake.answer = () => result({});
    expect((await act(subscribe("file:///a"), { client })).kind).toBe("result");
    expect(sent()).toHaveLength(3);
    say("file:///a");
    expect(uris()).toEqual(["file:///a", "file:///a"]);
  });

  test("are told under the URI that clients know", async () => {
    const { act, listen, say } = open({ ...files, config: { resources: "prefix" } });
    const { client, uris } = listen(legacyClient());
    await act(subscribe("mcp-files+file:///a"), { client });
    say("file:///a");
    expect(uris()).toEqual(["mcp-files+file:///a"]);
  });

  test("are at most 256 for one principal", { timeout: 120_000 }, async () => {
    const { act, listen } = open();
    const { client } = listen(legacyClient());
    for (let at = 0; at < 256; at += 1) {
      const reply = await act(subscribe(`file:///x/${at}`), { client });
      expect(reply).toMatchObject({ kind: "result" });
    }
    const again = listen(legacyClient({ session: "again" }));
    for (const who of [client, again.client]) {
      expect(await act(subscribe("file:///a"), { client: who })).toMatchObject({
        kind: "error",
        data: { code: "upstream_busy" },
      });
    }
    const bob = listen(legacyClient({ principal: principal("bob") }));
    expect((await act(subscribe("file:///a"), { client: bob.client })).kind).toBe("result");
  });
});

describe("subscriptions to a modern server", () => {
  const modern: FakeServerSettings = {
    ...files,
    era: "modern",
    capabilities: { resources: { subscribe: true } },
  };

  test.each([
    ["legacy", legacyClient()],
    ["modern", modernClient()],
  ])("of a %s client are an open request each, which ends with them", async (_, client) => {
    const { act, gateway, listen, servers } = open(modern);
    const { uris } = listen(client);
    await act(subscribe("file:///a"), { client });
    await act(subscribe("file:///b"), { client });
    const [first, second] = servers["files"]?.sent ?? [];
    expect([first?.method, first?.params, first?.timeoutMs]).toEqual([
      "subscriptions/listen",
      { notifications: '{"resourceSubscriptions":["file:///a"]}' },
      Infinity,
    ]);
    first?.onNotification?.({ method: updated, params: { uri: "file:///a" } });
    expect(uris()).toEqual(["file:///a"]);
    await gateway.unsubscribe(client, "file:///a");
    expect([first?.signal?.aborted, second?.signal?.aborted]).toEqual([true, false]);
    expect(servers["files"]?.sent.map(({ method }) => method)).toEqual([
      "subscriptions/listen",
      "subscriptions/listen",
    ]);
  });

  test("end with the request of a modern client that listens", async () => {
    const { act, listen, servers } = open(modern);
    const client = modernClient();
    const { stop } = listen(client);
    await act(subscribe("file:///a"), { client });
    stop();
    expect(servers["files"]?.sent[0]?.signal?.aborted).toBe(true);
  });

  test("tell of the resource that was subscribed to, whatever the server names", async () => {
    const { act, listen, servers } = open(modern);
    const client = modernClient();
    const { uris } = listen(client);
    await act(subscribe("file:///a"), { client });
    servers["files"]?.sent[0]?.onNotification?.({ method: updated, params: { uri: "file:///b" } });
    expect(uris()).toEqual(["file:///a"]);
  });

  test("are made again where the server ends them, and tell that something may have changed", async () => {
    const ends: ((reply: UpstreamReply) => void)[] = [];
    const answer: Answer = (wanted) => {
      wanted.onNotification?.({ method: "notifications/subscriptions/acknowledged", params: {} });
      return new Promise((resolve) => void ends.push(resolve));
    };
    const { act, listen, servers } = open({ ...modern, answer });
    const client = modernClient();
    const { uris } = listen(client);
    await act(subscribe("file:///a"), { client });
    ends[0]?.(result({}));
    await expect.poll(() => servers["files"]?.sent.length, { timeout: 20_000 }).toBe(2);
    await expect.poll(() => uris(), { timeout: 20_000 }).toEqual(["file:///a"]);
  });
});
