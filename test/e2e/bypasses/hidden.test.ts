/**
 * B9 to B11, B34: what is reached by other ways than a call: completion, resources, prompts. What is hidden
 * cannot be told from what does not exist by any of them, and what is somebody else's is neither.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { legacyClient, modernClient, modernPost, reasonsOf } from "./clients.ts";
import type { HostileSetting } from "./hostile-setting.ts";
import { acts, buildHostileLayout, writeHostileConfig } from "./hostile-setting.ts";
import type { HttpGateway, Message } from "./http-gateway.ts";
import { startHttpGateway, withTokens } from "./http-gateway.ts";
import { ableToAll, answerLine, script, words } from "./scripts.ts";

let setting: HostileSetting;
let gateway: HttpGateway;

const keyed = { type: "object", properties: { key: { type: "string", "x-mcp-header": "Key" } } };

beforeAll(async () => {
  const layout = await buildHostileLayout(["h", "m", "p", "q"]);
  const none = { resources: [], templates: [], prompts: [] };
  const tools = ["echo", "script"].map((name) => ({ name, inputSchema: { type: "object" } }));
  setting = writeHostileConfig(
    layout,
    {
      h: { era: "legacy" },
      m: {
        era: "modern",
        lists: { ...none, tools: [...tools, { name: "hidden_tool", inputSchema: keyed }] },
      },
      p: { era: "legacy", settings: { resources: "prefix" } },
      q: { era: "legacy", lists: { ...none, tools } },
    },
    withTokens({ carol: ["q"] }),
  );
  gateway = await startHttpGateway(setting);
  await modernClient(gateway, "alice").request("tools/list");
});

afterAll(async () => await gateway.close());

const alice = () => modernClient(gateway, "alice");
const reached = (server = "h") => acts(setting.received(server));

/** The answer without what the client itself said. */
function shapeOf(answer: Message, said: string): string {
  return JSON.stringify({ ...answer, id: 0 }).replaceAll(said, "NAME");
}

type Ask = (name: string) => Promise<Message>;

const ways: readonly (readonly [string, string, string, Ask])[] = [
  ["a tool that is called", "m__hidden_tool", "m__nothing", (name) => alice().call(name)],
  [
    "a tool with a mirrored argument",
    "m__hidden_tool",
    "m__nothing",
    (name) => alice().call(name, { key: "x" }),
  ],
  [
    "a prompt that is got",
    "h__hidden_prompt",
    "h__nothing",
    (name) => alice().request("prompts/get", { name }),
  ],
  [
    "a resource that is read",
    "hidden://secret",
    "hidden://nothing",
    (uri) => alice().request("resources/read", { uri }),
  ],
  [
    "a resource of a template",
    "hidden://notes/7",
    "nothing://notes/7",
    (uri) => alice().request("resources/read", { uri }),
  ],
  [
    "a resource behind a prefix",
    "mcp-p+hidden://secret",
    "mcp-x+hidden://secret",
    (uri) => alice().request("resources/read", { uri }),
  ],
  [
    "a prompt that is completed (B9)",
    "h__hidden_prompt",
    "h__nothing",
    (name) => complete({ type: "ref/prompt", name }),
  ],
  [
    "a template that is completed (B9)",
    "hidden://notes/{id}",
    "nothing://notes/{id}",
    (uri) => complete({ type: "ref/resource", uri }),
  ],
  [
    "a resource that is completed",
    "hidden://secret",
    "hidden://nothing",
    (uri) => complete({ type: "ref/resource", uri }),
  ],
  [
    "a resource that is subscribed to",
    "hidden://secret",
    "hidden://nothing",
    async (uri) =>
      await (await legacyClient(gateway, "alice")).request("resources/subscribe", { uri }),
  ],
  [
    "a resource whose subscription is ended",
    "hidden://secret",
    "hidden://nothing",
    async (uri) =>
      await (await legacyClient(gateway, "alice")).request("resources/unsubscribe", { uri }),
  ],
];

async function complete(ref: object): Promise<Message> {
  return await alice().request("completion/complete", {
    ref,
    argument: { name: "who", value: "a" },
  });
}

describe("what is hidden", () => {
  test.each(ways)(
    "cannot be told from what does not exist: %s",
    async (_, hidden, unknown, ask) => {
      const before = ["h", "m", "p"].map((server) => reached(server).length);
      const [one, other] = [await ask(hidden), await ask(unknown)];
      expect(shapeOf(one, hidden)).toBe(shapeOf(other, unknown));
      expect(["h", "m", "p"].map((server) => reached(server).length)).toEqual(before);
    },
  );

  test("is not acknowledged where it is listened to, and neither is what does not exist", async () => {
    const uris = ["hidden://secret", "hidden://nothing", "nothing://x"];
    const wanted = { notifications: { resourceSubscriptions: uris, taskIds: ["x"] } };
    const listening = await gateway.open(
      modernPost("alice", "subscriptions/listen", wanted, ableToAll),
    );
    await expect.poll(() => listening.messages.length, { timeout: 20_000 }).toBe(1);
    listening.disconnect();
    expect(listening.messages[0]).toHaveProperty("params.notifications", {});
  });

  test("is in no list, and a server that a token does not open is not there at all", async () => {
    const lists = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
    for (const method of lists) {
      expect(JSON.stringify(await alice().request(method))).not.toContain("hidden");
      expect(JSON.stringify(await modernClient(gateway, "carol").request(method))).not.toContain(
        "h__",
      );
    }
    const carol = modernClient(gateway, "carol");
    const [closed, unknown] = [await carol.call("h__echo"), await carol.call("h__nope")];
    expect(shapeOf(closed, "h__echo")).toBe(shapeOf(unknown, "h__nope"));
    expect(await carol.call("q__echo")).toHaveProperty("result.content");
    const read = await carol.request("resources/read", { uri: "memo://open" });
    expect(read).toHaveProperty("error.code", -32_602);
  });
});

describe("what is reached without a call", () => {
  test("B9 completion is judged with its context and its value, and sends nothing that was not", async () => {
    const ref = { type: "ref/prompt", name: "h__greet", title: "x", url: "http://evil.example" };
    const argument = { name: "who", value: "a" };
    const denied = await alice().request("completion/complete", {
      ref,
      argument,
      context: { arguments: { path: "FORBIDDEN" } },
    });
    expect(reasonsOf(denied)).toEqual(["forbidden"]);
    const before = reached().length;
    await alice().request("completion/complete", { ref, argument, more: 1 });
    expect(
      reached()
        .slice(before)
        .map(({ params }) => params),
    ).toEqual([{ ref: { type: "ref/prompt", name: "greet" }, argument }]);
  });

  /** The URIs that servers got while this one was read. */
  const readAs = async (uri: string) => {
    const before = [reached().length, reached("p").length];
    const answer = await alice().request("resources/read", { uri });
    const sent = [...reached().slice(before[0]), ...reached("p").slice(before[1])];
    return { answer, sent: sent.map(({ params }) => Object(params).uri) };
  };

  test.each(["memo://notes/", "memo://notes/..%2f", "memo://notes/%2e%2e%5c", "memo://notes/..;"])(
    "B10 a resource is judged by the very URI that its server gets: %s…",
    async (start) => {
      const denied = await readAs(`${start}FORBIDDEN`);
      expect(reasonsOf(denied.answer)).toEqual(["forbidden"]);
      expect(denied.sent).toEqual([]);
      expect((await readAs(`${start}fine`)).sent).toEqual([`${start}fine`]);
    },
  );

  test.each([
    "Memo://open",
    "MEMO://OPEN",
    "memo:/open",
    "memo:open",
    "//open",
    "memo://open#x",
    "memo://open\u0000",
    "memo://open\n",
    " memo://open",
    "mcp-p+",
    "MCP-P+memo://open",
    "mcp-p%2bmemo://open",
    "mcp-h+memo://open",
    "mcp-+memo://open",
    "memo://notes/a/b",
    "memo://open/../notes/1",
    "file:///etc/passwd",
    "",
  ])("B10 a URI in another spelling is another URI, and leads to no server: %j", async (uri) => {
    const { answer, sent } = await readAs(uri);
    expect(sent).toEqual([]);
    expect(answer).toHaveProperty("error.code", -32_602);
  });

  test("B10 what looks like a prefix behind a prefix is the server's own, and is taken off once", async () => {
    expect((await readAs("mcp-p+mcp-p+memo://open")).sent).toEqual(["mcp-p+memo://open"]);
  });

  test("B10 a resource behind a prefix goes to its server alone, and comes back under the prefix", async () => {
    const before = [reached().length, reached("p").length];
    const answer = await alice().request("resources/read", { uri: "mcp-p+memo://open" });
    expect(answer).toHaveProperty("result.contents.0.uri", "mcp-p+memo://open");
    expect([reached().length, reached("p").length]).toEqual([before[0], Number(before[1]) + 1]);
  });

  test("B10 a subscription is decided, and its updates come to its own client under its own name", async () => {
    const client = await legacyClient(gateway, "alice");
    const denied = await client.request("resources/subscribe", { uri: "memo://notes/FORBIDDEN" });
    expect(reasonsOf(denied)).toEqual(["forbidden"]);
    expect(reached().map(({ method }) => method)).not.toContain("resources/subscribe");
    expect(await client.request("resources/subscribe", { uri: "memo://open" })).toHaveProperty(
      "result",
    );
    expect(reached().at(-1)).toMatchObject({
      method: "resources/subscribe",
      params: { uri: "memo://open" },
    });
  });

  test("B11 the arguments of a prompt are judged, and what is denied reaches no server", async () => {
    const before = reached().length;
    const asked = { name: "h__greet", arguments: { who: "FORBIDDEN" } };
    expect(reasonsOf(await alice().request("prompts/get", asked))).toEqual(["forbidden"]);
    expect(reached()).toHaveLength(before);
    const args = { who: "Ann" };
    await alice().request("prompts/get", { name: "h__greet", arguments: args, server: "p" });
    expect(reached().at(-1)?.["params"]).toEqual({ name: "greet", arguments: args });
  });

  test("B34 a link in a result leads its reader to the server that gave it, decided, and nobody else anywhere", async () => {
    const links = ["file:///etc/passwd", "hidden://secret", "http://169.254.169.254/"];
    const content = links.map((uri) => ({ type: "resource_link", uri, name: "x" }));
    await alice().call("q__script", script(answerLine({ ...words, content })));
    const before = reached("q").length;
    const own = await alice().request("resources/read", { uri: "file:///etc/passwd" });
    expect(own).toHaveProperty("result.contents");
    expect(reached("q").slice(before)).toEqual([
      expect.objectContaining({ method: "resources/read", params: { uri: "file:///etc/passwd" } }),
    ]);
    for (const [user, uri] of [
      ["bob", "file:///etc/passwd"],
      ["alice", "hidden://secret"],
    ] as const) {
      const refused = await modernClient(gateway, user).request("resources/read", { uri });
      expect(refused).toHaveProperty("error.code", -32_602);
    }
    expect(reached("q")).toHaveLength(before + 1);
  });
});

test("each of these requests is on record", async () => {
  await gateway.close();
  const decisions = await setting.decisions();
  const types = new Set(decisions.map(({ action_type }) => action_type));
  for (const type of [
    "tool_call",
    "prompt_get",
    "resource_read",
    "resource_subscribe",
    "completion",
  ]) {
    expect(types).toContain(type);
  }
  const hidden = decisions.filter(({ exposed_name: name }) => name.includes("hidden"));
  expect(hidden.length).toBeGreaterThan(8);
  for (const { effect, outcome } of hidden)
    expect([effect, outcome]).toEqual(["deny", "not_forwarded"]);
});
