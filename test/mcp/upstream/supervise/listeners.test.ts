import { describe, expect, test } from "vitest";
import type { ServerRequest } from "../../../../src/mcp/upstream/upstream-connection.ts";
import { ask, createFakeUpstream, done } from "./fake-upstream.ts";

const changed = { method: "notifications/tools/list_changed", params: {} };
const request: ServerRequest = {
  method: "roots/list",
  params: {},
  isAttributed: true,
  signal: new AbortController().signal,
};

async function start() {
  const fake = createFakeUpstream({ answer: () => done });
  const events = async (key = "a") => {
    await fake.server.request(key, {}, ask());
    const found = fake.connections.find((connection) => connection.key === key);
    if (found === undefined) throw new Error("the fake did not start");
    return found.events;
  };
  return { ...fake, events };
}

describe("what a server says unasked", () => {
  test("is heard by all who hold its key, and by the server's keeper", async () => {
    const { server, events, heard } = await start();
    const got: string[] = [];
    server.hold("a", { onNotification: ({ method }) => got.push(`one ${method}`) });
    const release = server.hold("a", { onNotification: ({ method }) => got.push(`two ${method}`) });
    server.hold("b", { onNotification: () => got.push("of another key") });
    const { onNotification } = await events();
    onNotification?.(changed);
    release();
    onNotification?.(changed);
    expect(got).toEqual([
      "one notifications/tools/list_changed",
      "two notifications/tools/list_changed",
      "one notifications/tools/list_changed",
    ]);
    expect(heard.filter((line) => line === "a notifications/tools/list_changed")).toHaveLength(2);
  });

  test("reaches the others where one listener throws", async () => {
    const { server, events, log } = await start();
    const got: string[] = [];
    server.hold("a", {
      onNotification: () => {
        throw new Error("broken");
      },
    });
    server.hold("a", { onNotification: ({ method }) => got.push(method) });
    (await events()).onNotification?.(changed);
    expect(got).toEqual(["notifications/tools/list_changed"]);
    expect(log.lines.map(({ level }) => level)).toContain("error");
  });

  test("is heard by nobody once the connection was given up", async () => {
    const { server, events, heard } = await start();
    const got: string[] = [];
    const before = await events();
    server.end("a");
    server.hold("a", { onNotification: ({ method }) => got.push(method) });
    before.onNotification?.(changed);
    expect(got).toEqual([]);
    expect(heard).toEqual(["connected a"]);
    expect(await before.onRequest?.(request)).toMatchObject({ error: { code: -32_603 } });
  });
});

describe("a request of a server", () => {
  test("goes to the newest holder that answers requests", async () => {
    const { server, events } = await start();
    const { onRequest } = await events();
    expect(await onRequest?.(request)).toMatchObject({ error: { code: -32_601 } });
    const answering = (resultJson: string) =>
      server.hold("a", { onRequest: async () => ({ kind: "result", resultJson }) });
    answering('"one"');
    const release = answering('"two"');
    server.hold("a", { onNotification: () => {} });
    expect(await onRequest?.(request)).toEqual({ kind: "result", resultJson: '"two"' });
    release();
    expect(await onRequest?.(request)).toEqual({ kind: "result", resultJson: '"one"' });
  });

  test("is an internal error where the answer fails, without its reason", async () => {
    const { server, events } = await start();
    server.hold("a", { onRequest: () => Promise.reject(new Error("secret")) });
    const answer = await (await events()).onRequest?.(request);
    expect(answer).toEqual({ kind: "error", error: { code: -32_603, message: "Internal error" } });
  });
});

describe("a request of a client", () => {
  test("keeps its own listeners, and gets none that it did not have", async () => {
    const { server, connections } = createFakeUpstream();
    const got: string[] = [];
    void server.request("a", {}, ask("with", { onProgress: () => got.push("progress") }));
    void server.request("a", {}, ask("without"));
    await new Promise(setImmediate);
    const [withOne, without] = [...(connections[0]?.open ?? [])].map(({ wanted }) => wanted);
    withOne?.onProgress?.({ progress: 1 });
    expect(got).toEqual(["progress"]);
    expect(withOne?.onRequest).toBeUndefined();
    expect(without?.onProgress).toBeUndefined();
    await server.close();
  });

  test("never rejects, not even where a connection breaks its promise", async () => {
    const { server } = createFakeUpstream({
      connect: async () => ({
        greeting: {
          era: "legacy",
          protocolVersion: "2025-11-25",
          capabilities: {},
          serverInfo: {},
          instructions: undefined,
        },
        request: () => Promise.reject(new Error("broken")),
        notify: () => {},
        close: () => Promise.reject(new Error("broken too")),
      }),
    });
    expect(await server.request("a", {}, ask())).toMatchObject({ code: "upstream_lost" });
    expect(server.status().inFlight).toBe(0);
    await server.close();
  });
});

describe("a notification for a server", () => {
  test("goes out where its connection is open", async () => {
    const { server, connections } = createFakeUpstream({ answer: () => done });
    server.notify("a", "notifications/lost");
    await server.request("a", {}, ask());
    server.notify("a", "notifications/roots/list_changed");
    server.notify("b", "notifications/lost");
    expect(connections.map(({ notified }) => notified)).toEqual([
      ["notifications/roots/list_changed"],
    ]);
    await server.close();
  });
});
