/**
 * What no person sees reaches no client, by whatever path a server sends it, from servers and to
 * clients of both eras, through the shipped program; and text in any language arrives as it was sent.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { legacyClient, modernClient } from "./bypasses/clients.ts";
import type { HostileSetting } from "./bypasses/hostile-setting.ts";
import { buildHostileLayout, writeHostileConfig } from "./bypasses/hostile-setting.ts";
import type { HttpGateway } from "./bypasses/http-gateway.ts";
import { startHttpGateway, withTokens } from "./bypasses/http-gateway.ts";
import {
  ableToAll,
  allQuestions,
  answerLine,
  asking,
  errorLine,
  form,
  noticeLine,
  requestLine,
  script,
} from "./bypasses/scripts.ts";
import { dirty, lists, text, troublesIn } from "./hidden-words.ts";

let setting: HostileSetting;
let gateway: HttpGateway;

beforeAll(async () => {
  const layout = await buildHostileLayout(["h", "m"]);
  setting = writeHostileConfig(
    layout,
    {
      h: { era: "legacy", lists, settings: { to_client: allQuestions } },
      m: { era: "modern", lists, settings: { to_client: allQuestions, naming: "prefix" } },
    },
    withTokens(),
  );
  gateway = await startHttpGateway(setting);
  await modernClient(gateway, "alice").request("tools/list");
});

afterAll(async () => await gateway.close());

const answers: readonly (readonly [string, string, number])[] = [
  ["a text", answerLine({ content: [text] }), 1],
  ["a text of an error", answerLine({ isError: true, content: [text] }), 1],
  [
    "an embedded resource",
    answerLine({ content: [{ type: "resource", resource: { uri: "memo://open", text: dirty } }] }),
    1,
  ],
  [
    "a link",
    answerLine({
      content: [
        {
          type: "resource_link",
          uri: "memo://open",
          name: dirty,
          title: dirty,
          description: dirty,
        },
      ],
    }),
    3,
  ],
  [
    "structured content, its names too",
    answerLine({ content: [], structuredContent: { [dirty]: [{ deep: dirty }] } }),
    2,
  ],
  ["its _meta", answerLine({ content: [], _meta: { "x/y": dirty } }), 1],
  ["a member that nobody knows", answerLine({ content: [], surprise: { a: dirty } }), 1],
  ["a JSON-RPC error", errorLine({ code: -32_000, message: dirty, data: { why: [dirty] } }), 2],
];

describe.each(["h", "m"])("what no person sees, from a server (%s)", (server) => {
  test.each(answers)("is shown in %s", async (_, line, places) => {
    const args = script(line);
    const modern = modernClient(gateway, "alice");
    const legacy = await legacyClient(gateway, "alice");
    expect(troublesIn(await modern.call(`${server}__script`, args, {}, ableToAll), places)).toEqual(
      [],
    );
    expect(troublesIn(await legacy.call(`${server}__script`, args), places)).toEqual([]);
  });

  test("is shown in prompts, contents of resources and completions", async () => {
    const modern = modernClient(gateway, "alice");
    const prompt = `${server}__greet`;
    expect(
      troublesIn(await modern.request("prompts/get", { name: prompt, arguments: { who: dirty } })),
    ).toEqual([]);
    const ref = { type: "ref/prompt", name: prompt };
    const argument = { name: "who", value: dirty };
    expect(troublesIn(await modern.request("completion/complete", { ref, argument }))).toEqual([]);
  });

  test("is shown in progress and log messages", async () => {
    const client = await legacyClient(gateway, "alice");
    await client.request("logging/setLevel", { level: "debug" });
    const progress = noticeLine("notifications/progress", {
      progressToken: "$ID",
      progress: 1,
      message: dirty,
    }).replace('"$ID"', "$ID");
    const log = noticeLine("notifications/message", {
      level: "error",
      logger: dirty,
      data: { [dirty]: dirty },
    });
    const last = { line: answerLine({ content: [] }), afterMs: 200 };
    const params = {
      name: `${server}__script`,
      arguments: script(progress, log, last),
      _meta: { progressToken: "p", "io.modelcontextprotocol/logLevel": "debug" },
    };
    const { messages } = await (await client.open("tools/call", params)).ended;
    const of = (method: string) => messages.find((message) => message["method"] === method);
    expect(troublesIn(of("notifications/progress"))).toEqual([]);
    expect(troublesIn(of("notifications/message"), 3)).toEqual([]);
  });
});

describe("what no person sees, in lists and greetings,", () => {
  test("is shown in titles and descriptions, and their item is listed", async () => {
    for (const client of [modernClient(gateway, "alice"), await legacyClient(gateway, "alice")]) {
      const listed = Object((await client.request("tools/list"))["result"]).tools;
      const dirties = listed.filter(({ name }: { name: string }) => name.endsWith("__dirty"));
      expect(dirties).toHaveLength(2);
      expect(troublesIn(dirties, 12)).toEqual([]);
      expect(troublesIn((await client.request("prompts/list"))["result"], 4)).toEqual([]);
      expect(troublesIn((await client.request("resources/templates/list"))["result"], 0)).toEqual(
        [],
      );
    }
  });

  test("leaves out what it stands in where nothing may be rewritten, and the log says so", async () => {
    const client = modernClient(gateway, "alice");
    const tools = JSON.stringify(await client.request("tools/list"));
    const prompts = JSON.stringify(await client.request("prompts/list"));
    expect(tools).toContain("h__script");
    expect(tools).not.toContain("bad_");
    expect(prompts).not.toContain("greet_bad");
    for (const keyword of ["enum", "const", "default", "pattern", "property"]) {
      expect(gateway.stderr()).toContain(`bad_${keyword}`);
    }
    expect(gateway.stderr()).toContain("holds hidden characters");
  });

  test("is shown in instructions", async () => {
    const clientInfo = { name: "raw", version: "1" };
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
    const body = { jsonrpc: "2.0", id: 1, method: "initialize", params };
    const { messages } = await gateway.post({ user: "alice", body });
    expect(troublesIn(Object(messages[0]?.["result"]).instructions, 2)).toEqual([]);
    const modern = await modernClient(gateway, "alice").request("server/discover");
    expect(troublesIn(Object(modern["result"]).instructions, 2)).toEqual([]);
  });
});

describe("what no person sees, in questions,", () => {
  test("is shown, and a form that would be answered by it is not asked", async () => {
    const ask = (question: object) =>
      modernClient(gateway, "alice").call(
        "m__script",
        script(answerLine(asking({ a: question }))),
        {},
        ableToAll,
      );
    const field = { a: { type: "string", title: dirty, description: dirty } };
    expect(troublesIn(await ask(form(field, dirty)), 3)).toEqual([]);
    const messages = [{ role: "user", content: text }];
    const sampling = { messages, systemPrompt: dirty, maxTokens: 1 };
    expect(
      troublesIn(await ask({ method: "sampling/createMessage", params: sampling }), 2),
    ).toEqual([]);
    const refused = await ask(form({ a: { type: "string", enum: ["x\u202e"] } }));
    expect(JSON.stringify(refused)).toContain("hidden_characters");
    expect(refused["result"]).toBeUndefined();
  });

  test("is shown where a legacy server asks in the middle of a call", async () => {
    const params = { message: dirty, requestedSchema: { type: "object", properties: {} } };
    const answer = await modernClient(gateway, "alice").call(
      "h__script",
      script(requestLine("q-1", "elicitation/create", params)),
      {},
      ableToAll,
    );
    expect(troublesIn(Object(answer["result"]).inputRequests)).toEqual([]);
  });
});

test("what no person sees is shown in the words of a task, wherever they are asked for", async () => {
  const state = JSON.stringify({ statusMessage: dirty }).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const made = answerLine({ resultType: "task", taskId: state, status: "working", ttlMs: null });
  const client = modernClient(gateway, "alice");
  const task = await client.call("m__script", script(made), {}, ableToAll);
  const { taskId } = Object(task["result"]);
  expect(troublesIn(await client.request("tasks/get", { taskId }, ableToAll))).toEqual([]);
});
