/**
 * Conversations that a trusted runtime names: who is believed, what is refused, and that nothing else
 * of a request leaves the conversation that it began in.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { vouchedConversation } from "../../../src/contract/vouched-conversation.ts";
import type { ActionRequest } from "../../../src/gateway/gateway.ts";
import { text, tool } from "../fake-server.ts";
import type { OpenGateway } from "../open-gateway.ts";
import {
  alice,
  collect,
  legacyClient,
  openGateway,
  principal,
  readReply,
  stateOf,
} from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";
import { openAsking, retryOf } from "./open-asking.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const trusting = { trusted_runtimes: ["bot"] };
const pointer = "/_meta/io.mcp-gateway/conversation";
const brings = { data_classes: ["pii"], labels: ["first_party"] };
const own = { data_classes: ["internal"], labels: ["first_party"] };

function open(runtimes: readonly string[] = ["bot"]): OpenGateway {
  const config = { tools: { get: brings, send: own } };
  const tools = [tool("get"), tool("send"), tool("denied_tool")];
  return openGateway({
    servers: { crm: { tools, config, answer: () => text("done") } },
    policies,
    settings: { trusted_runtimes: runtimes },
  });
}

function says(saidConversation: unknown): Partial<ActionRequest> {
  return { saidConversation, dropped: [pointer] };
}

const lastInput = ({ admissions }: Pick<OpenGateway, "admissions">) =>
  JSON.parse(admissions.at(-1)?.inputJson ?? "{}");
const lastContext = (gateway: Pick<OpenGateway, "admissions">) => lastInput(gateway).context;

describe("a trusted runtime", () => {
  test("names the conversation, and two of them do not mix", async () => {
    const gateway = open();
    await gateway.call("crm__get", says({ id: "a" }));
    await gateway.call("crm__send", says({ id: "b" }));
    expect(lastContext(gateway)).toMatchObject({
      conversation_id: "b",
      turn_count: 0,
      data_classes_seen: [],
    });
    await gateway.call("crm__send", says({ id: "a" }));
    expect(lastContext(gateway)).toMatchObject({
      conversation_id: "a",
      turn_count: 1,
      data_classes_seen: ["pii"],
    });
    expect(gateway.admissions.map(({ dropped }) => dropped)).toEqual([[], [], []]);
  });

  test("that names none is decided with what all of them saw", async () => {
    const gateway = open();
    await gateway.call("crm__get", says({ id: "a" }));
    await gateway.call("crm__send");
    expect(lastContext(gateway)).toMatchObject({ turn_count: 1, data_classes_seen: ["pii"] });
    expect(lastContext(gateway).conversation_id).not.toBe("a");
  });

  test("raises the counts of a conversation and lowers nothing", async () => {
    const gateway = open();
    await gateway.call("crm__send", says({ id: "a", turn_count: 9, cumulative_tokens: 5000 }));
    expect(lastContext(gateway)).toMatchObject({ turn_count: 9, cumulative_tokens: 5000 });
    await gateway.call("crm__send", says({ id: "a", turn_count: 0 }));
    expect(lastContext(gateway)).toMatchObject({ turn_count: 9, cumulative_tokens: 5000 });
  });

  test("is known by a pattern of its id", async () => {
    const gateway = open(["other", "bo*"]);
    await gateway.call("crm__send", says({ id: "a" }));
    expect(lastContext(gateway).conversation_id).toBe("a");
  });

  test.each([
    ["no object", "a"],
    ["an array", ["a"]],
    ["null", null],
    ["no id", {}],
    ["an empty id", { id: "" }],
    ["an id that is a number", { id: 7 }],
    ["an id of 257 characters", { id: "x".repeat(257) }],
    ["an id with a control character", { id: "a\u0007" }],
    ["an id that is no well-formed text", { id: "\ud800" }],
    ["a negative count", { id: "a", turn_count: -1 }],
    ["half a request", { id: "a", turn_count: 0.5 }],
    ["a count that is text", { id: "a", cumulative_tokens: "7" }],
    ["more than can be counted", { id: "a", cumulative_tokens: 2 ** 53 }],
    ["what is not understood", { id: "a", labels_seen: [] }],
  ])("that says %s is refused, and that is on record", async (_, said) => {
    const gateway = open();
    const reply = await gateway.call("crm__send", says(said));
    expect(reply).toMatchObject({
      kind: "error",
      code: -32_602,
      message: expect.stringContaining('params._meta["io.mcp-gateway/conversation"]'),
    });
    expect(gateway.servers["crm"]?.sent.filter(({ method }) => method === "tools/call")).toEqual(
      [],
    );
    expect(gateway.admissions).toMatchObject([
      { answer: { allow: false, reasons: ["malformed_request"] }, dropped: [pointer] },
    ]);
  });

  test("is refused one more conversation than can be remembered, and goes on in the others", async () => {
    const gateway = open();
    await gateway.call("crm__get", says({ id: "known" }));
    const folder = join(gateway.stateDir, "conversations", alice.key);
    const now = Date.now();
    const lines = Array.from({ length: 999 }, (_, number) =>
      JSON.stringify({ of: `${number}`, id: `${number}`, started: now, at: now, fresh: [] }),
    );
    const day = `${new Date(now).toISOString().slice(0, 10)}.jsonl`;
    appendFileSync(join(folder, day), `\n${lines.join("\n")}\n`);
    const sent = gateway.events.length;
    const reply = await gateway.call("crm__send", says({ id: "one more" }));
    expect(readReply(reply)).toMatchObject({ isError: true });
    expect(JSON.stringify(readReply(reply))).toContain("conversation_limit");
    expect(gateway.events.slice(sent)).toEqual(["admit"]);
    const known = readReply(await gateway.call("crm__send", says({ id: "known" })));
    expect(known).toMatchObject({ content: [{ text: "done" }] });
    expect(lastContext(gateway).data_classes_seen).toEqual(["pii"]);
  });
});

describe("an agent that is not listed", () => {
  test.each([
    ["nobody is", []],
    ["others are", ["runtime-*", "bot-2", "b"]],
  ])("names no conversation where %s, and what it said is on record", async (_, runtimes) => {
    const gateway = open(runtimes);
    await gateway.call("crm__get");
    await gateway.call("crm__send", says({ id: "fresh", turn_count: 50 }));
    expect(lastContext(gateway)).toMatchObject({ turn_count: 1, data_classes_seen: ["pii"] });
    expect(lastContext(gateway).conversation_id).not.toBe("fresh");
    expect(gateway.admissions.at(-1)?.dropped).toEqual([pointer]);
  });

  test("is not refused for what nobody reads", async () => {
    const gateway = open([]);
    const reply = await gateway.call("crm__send", says("nonsense"));
    expect(readReply(reply)).toMatchObject({ content: [{ text: "done" }] });
  });

  test("has no conversation of another user", async () => {
    const gateway = open();
    await gateway.call("crm__get", says({ id: "a" }));
    const bob = legacyClient({ principal: principal("bob") });
    await gateway.call("crm__send", { ...says({ id: "a" }), client: bob });
    expect(lastContext(gateway)).toMatchObject({ turn_count: 0, data_classes_seen: [] });
  });
});

describe("a conversation that the token names", () => {
  const conversation = vouchedConversation(alice.key, "t");
  const client = legacyClient({ principal: { ...alice, conversation } });

  test("needs no runtime that is trusted", async () => {
    const gateway = open([]);
    await gateway.call("crm__get");
    await gateway.call("crm__send", { client });
    expect(lastContext(gateway)).toMatchObject({ conversation_id: "t", data_classes_seen: [] });
  });

  test("is not changed by what a runtime says, who may count in it", async () => {
    const gateway = open();
    const other = await gateway.call("crm__send", { client, ...says({ id: "u" }) });
    expect(other).toMatchObject({ kind: "error", code: -32_602 });
    await gateway.call("crm__send", { client, ...says({ id: "t", turn_count: 4 }) });
    expect(lastContext(gateway)).toMatchObject({ conversation_id: "t", turn_count: 4 });
  });
});

describe("what belongs to a call", () => {
  test("is decided in its conversation: a question of the server, and the answer to it", async () => {
    const asking = openAsking(policies, ["which?"], undefined, trusting);
    const asked = await asking.call(says({ id: "a" }));
    const contexts = () =>
      asking.admissions.map(({ actionType, inputJson }) => [
        actionType,
        JSON.parse(inputJson).context?.conversation_id,
      ]);
    expect(contexts()).toEqual([
      ["tool_call", "a"],
      ["elicitation", "a"],
    ]);
    const ended = await asking.call({ ...retryOf(asked), ...says({ id: "a" }) });
    expect(readReply(ended)).toMatchObject({ content: [{ text: "done" }] });
    expect(contexts().at(-1)).toEqual(["tool_call", "a"]);
  });

  test.each([
    ["another conversation", says({ id: "b" })],
    ["no conversation", {}],
  ])("is not gone on with in %s", async (_, other) => {
    const asking = openAsking(policies, ["which?"], undefined, trusting);
    const asked = await asking.call(says({ id: "a" }));
    expect(stateOf(asked)).not.toBe("");
    const reply = await asking.call({ ...retryOf(asked), ...other });
    expect(reply).toMatchObject({ kind: "error", code: -32_602 });
    expect(asking.answers).toEqual([]);
  });

  test("reaches the client that subscribed in it", async () => {
    const { act, gateway, servers } = openGateway({
      servers: { files: { resources: [{ uri: "file:///a", name: "a" }] } },
      policies,
      settings: trusting,
    });
    const client = legacyClient();
    const { heard, hear } = collect();
    gateway.listen(client, { hear, ask: undefined });
    const subject = { type: "resource_subscribe", uri: "file:///a" } as const;
    expect((await act(subject, { client, ...says({ id: "a" }) })).kind).toBe("result");
    const notice = { method: "notifications/resources/updated", params: { uri: "file:///a" } };
    servers["files"]?.say(notice);
    expect(heard.filter(({ method }) => method === notice.method)).toEqual([notice]);
  });
});
