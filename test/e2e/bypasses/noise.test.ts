/**
 * B31, B32: servers that break the rules of the wire: answers to nobody, twice, too late, or in pieces; requests that their
 * revision does not have; lines that are no message. One call may fail of it, never another.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { legacyClient, modernClient, modernPost, textOf } from "./clients.ts";
import type { HostileSetting } from "./hostile-setting.ts";
import { buildHostileLayout, writeHostileConfig } from "./hostile-setting.ts";
import type { HttpGateway } from "./http-gateway.ts";
import { startHttpGateway, withTokens } from "./http-gateway.ts";
import {
  ableToAll,
  allQuestions,
  answerLine,
  noticeLine,
  requestLine,
  script,
  words,
} from "./scripts.ts";

let setting: HostileSetting;
let gateway: HttpGateway;

beforeAll(async () => {
  const layout = await buildHostileLayout(["h", "m"]);
  setting = writeHostileConfig(
    layout,
    {
      h: { era: "legacy" },
      m: { era: "modern", settings: { to_client: allQuestions } },
    },
    withTokens(),
  );
  gateway = await startHttpGateway(setting);
  await modernClient(gateway, "alice").request("tools/list");
});

afterAll(async () => await gateway.close());

const said = (text: string) => answerLine({ ...words, content: [{ type: "text", text }] });

describe.each(["h", "m"])("a server (%s)", (server) => {
  const run = (...lines: readonly (string | object)[]) =>
    modernClient(gateway, "alice").call(`${server}__script`, script(...lines));

  test("B31 that answers twice is heard once", async () => {
    expect(textOf(await run(said("first"), said("second")))).toBe("first");
    expect(textOf(await run(said("third")))).toBe("third");
  });

  test("B31 that answers what nobody asked, or somebody else's id as text, is not heard", async () => {
    const strangers = [
      '{"jsonrpc":"2.0","id":987654,"result":{"content":[]}}',
      '{"jsonrpc":"2.0","id":null,"result":{"content":[]}}',
      '{"jsonrpc":"2.0","id":"$ID","result":{"content":[]}}'.replace('"$ID"', '"1"'),
      '{"jsonrpc":"2.0","result":{"content":[]}}',
      '{"jsonrpc":"2.0","id":-1,"error":{"code":1,"message":"x"}}',
    ];
    expect(textOf(await run(...strangers, { line: said("mine"), afterMs: 50 }))).toBe("mine");
  });

  test("B31 that answers after its call was cancelled is not heard", async () => {
    const client = await legacyClient(gateway, "alice");
    const mark = `cancelled at ${server}`;
    const call = {
      name: `${server}__script`,
      arguments: { mark, ...script({ line: said("too late"), onCancelled: true }) },
    };
    const received = () => setting.received(server).join("\n");
    const opening = client.open("tools/call", call, "c");
    await expect.poll(received).toContain(mark);
    const before = received().length;
    await client.say({ method: "notifications/cancelled", params: { requestId: "c" } });
    const { text } = await (await opening).ended;
    expect(text).not.toContain("result");
    // The server answers when it is told of the end, and so before it hears of the next call.
    await expect.poll(() => received().slice(before)).toContain("notifications/cancelled");
    expect(textOf(await run(said("next")))).toBe("next");
  });

  test.each([
    ["text before its answer", "Server is listening"],
    ["half a message", '{"jsonrpc":"2.0","id":'],
    ["a line end inside a message", '{"jsonrpc":"2.0",\n"id":5}'],
    ["a byte order mark", "\ufeff{}"],
    ["NUL bytes", "\u0000\u0000"],
    ["a batch", "[]"],
    ["a number", "7"],
  ])("B32 that prints %s fails nobody's call", async (_, garbage) => {
    expect(textOf(await run(garbage, { line: said("fine"), afterMs: 50 }))).toBe("fine");
  });

  test("B32 that answers with both a result and an error, or neither, fails that call alone", async () => {
    const both =
      '{"jsonrpc":"2.0","id":$ID,"result":{"content":[]},"error":{"code":1,"message":"x"}}';
    for (const line of [
      both,
      '{"jsonrpc":"2.0","id":$ID}',
      '{"jsonrpc":"2.0","id":$ID,"result":[]}',
    ]) {
      const [bad, good] = await Promise.all([run(line), run({ line: said("good"), afterMs: 50 })]);
      expect(bad).toHaveProperty("error.data.code", "upstream_garbage");
      expect(textOf(good)).toBe("good");
    }
  });
});

test("B31 requests of a modern server, which has none, ask nobody, whatever it may ask in results", async () => {
  const asks = ["sampling/createMessage", "elicitation/create", "roots/list"].map((method, at) =>
    requestLine(`r-${at}`, method, {}),
  );
  const call = {
    name: "m__script",
    arguments: script(...asks, { line: said("done"), afterMs: 300 }),
  };
  const { messages } = await gateway.post(modernPost("alice", "tools/call", call, ableToAll));
  expect(messages).toHaveLength(1);
  const client = await legacyClient(gateway, "alice", ableToAll.capabilities);
  const opened = await client.open("tools/call", call);
  const heard = (await opened.ended).messages;
  expect(heard.map(({ method }) => method)).toEqual([undefined]);
  const refusals = setting.received("m").filter((line) => /"id":"r-\d"/.test(line));
  for (const line of refusals) expect(line).toContain('"code":-32601');
});

test("B31 a cancellation by a server of what it was asked cancels nothing", async () => {
  const cancel = noticeLine("notifications/cancelled", { requestId: 1 });
  const own = noticeLine("notifications/cancelled", { requestId: 0 }).replace(":0}", ":$ID}");
  for (const server of ["h", "m"]) {
    const lines = script(cancel, own, { line: said("still here"), afterMs: 100 });
    const answer = await modernClient(gateway, "alice").call(`${server}__script`, lines);
    expect(textOf(answer)).toBe("still here");
  }
});
