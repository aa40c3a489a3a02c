import { beforeAll, describe, expect, test } from "vitest";
import type { Subject } from "../../src/gateway/gateway.ts";
import { result, tool } from "./fake-server.ts";
import { modernClient, openGateway, principal, readReply } from "./open-gateway.ts";
import type { TestPolicies } from "./test-policies.ts";
import { compileTestPolicies } from "./test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const crm = {
  tools: [
    tool("get", {
      inputSchema: { type: "object", properties: { id: { type: "string" } } },
    }),
    tool("denied_tool"),
    tool("hidden_tool"),
    tool("approved_tool"),
    tool("ungranted_tool"),
    tool("staff_tool"),
    tool("odd", { inputSchema: { type: "object", properties: { x: { $ref: "https://a.b/c" } } } }),
  ],
  prompts: [{ name: "greet" }, { name: "denied_prompt" }, { name: "ungranted" }],
  resources: [
    { uri: "file:///a", name: "a" },
    { uri: "file:///denied", name: "d" },
    { uri: "file:///ungranted", name: "u" },
  ],
  resourceTemplates: [{ uriTemplate: "note://{id}", name: "n" }],
};
/** Policy hides all that it has. */
const hidden = {
  tools: [tool("get")],
  prompts: [{ name: "greet" }],
  resources: [{ uri: "hidden:a", name: "a" }],
};

const open = () => openGateway({ servers: { crm, hidden }, policies });

const call = (name: string, argumentsJson = "{}"): Subject => ({
  type: "tool_call",
  name,
  argumentsJson,
});
const prompt = (name: string): Subject => ({ type: "prompt_get", name, argumentsJson: "{}" });
const read = (uri: string): Subject => ({ type: "resource_read", uri });
const subscribe = (uri: string): Subject => ({ type: "resource_subscribe", uri });
const complete = (name: string): Subject => ({
  type: "completion",
  ref: { prompt: name },
  argumentsJson: '{"argument":{"name":"a","value":"b"}}',
});

describe("an allowed action", () => {
  test("is on record before its request leaves, and its outcome after the answer", async () => {
    const { act, events, disk, servers } = open();
    let release = (): void => {};
    const durable = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = (): void => {};
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    disk.admit = async () => {
      asked();
      await durable;
    };
    const reply = act(call("crm__get"));
    await isAsked;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(servers["crm"]?.sent).toEqual([]);
    release();
    await reply;
    expect(events).toEqual(["admit", "sent tools/call", "settle completed"]);
  });

  test("is recorded with who, what and the text that policy judged", async () => {
    const { act, admissions, servers } = open();
    await act(call("crm__get", '{"id":"1"}'), { dropped: ["/x"], client: modernClient() });
    expect(admissions).toHaveLength(1);
    expect(admissions[0]).toMatchObject({
      tenant: "default",
      agent: "bot",
      user: "alice",
      server: "crm",
      tool: "get",
      exposedName: "crm__get",
      actionType: "tool_call",
      protocolVersion: "2026-07-28",
      dropped: ["/x"],
      answer: { allow: true, effect: "allow" },
    });
    const input = JSON.parse(admissions[0]?.inputJson ?? "");
    expect(input.action).toMatchObject({ type: "tool_call", tool: "get", args: { id: "1" } });
    expect(input.agent.client).toEqual({ name: "modern", version: "2" });
    expect(servers["crm"]?.sent[0]).toMatchObject({
      method: "tools/call",
      params: { name: '"get"', arguments: '{"id":"1"}' },
    });
  });

  test.each([
    ["prompt_get", prompt("crm__greet"), "prompts/get", { prompt: "greet", args: {} }],
    ["resource_read", read("file:///a"), "resources/read", { uri: "file:///a" }],
    ["resource_subscribe", subscribe("file:///a"), "resources/subscribe", { uri: "file:///a" }],
    [
      "completion",
      complete("crm__greet"),
      "completion/complete",
      { prompt: "greet", args: { argument: { name: "a", value: "b" } } },
    ],
  ])(
    "of type %s is recorded under it and asks its own method",
    async (type, subject, method, about) => {
      const { act, admissions, outcomes, servers } = open();
      expect((await act(subject)).kind).toBe("result");
      expect(admissions).toMatchObject([{ actionType: type, server: "crm" }]);
      expect(JSON.parse(admissions[0]?.inputJson ?? "").action).toMatchObject({ type, ...about });
      expect(servers["crm"]?.sent.map((wanted) => wanted.method)).toEqual([method]);
      expect(outcomes).toMatchObject([
        { decisionId: admissions[0]?.decisionId, outcome: "completed" },
      ]);
    },
  );

  test("keeps the bytes of the result, numbers and spacing included", async () => {
    const { act, servers } = open();
    const odd = '{ "content":[], "n": 1.50, "big": 123456789012345678901 }';
    const crmServer = servers["crm"];
    if (crmServer !== undefined) crmServer.answer = () => result(odd);
    const reply = await act(call("crm__get"));
    expect(reply).toMatchObject({ kind: "result", origin: "upstream" });
    expect(reply.kind === "result" && reply.bytes.toString()).toBe(odd);
  });
});

describe("a denied action", () => {
  test("of a tool is a result with reasons, and nothing is sent", async () => {
    const { act, servers, admissions, outcomes } = open();
    const reply = readReply(await act(call("crm__denied_tool")));
    expect(reply).toMatchObject({ kind: "result", isError: true });
    expect(JSON.stringify(reply)).toContain("named_denied");
    expect(admissions).toMatchObject([{ answer: { allow: false, reasons: ["named_denied"] } }]);
    expect([servers["crm"]?.sent, outcomes]).toEqual([[], []]);
  });

  test.each([
    ["prompt", prompt("crm__denied_prompt")],
    ["resource", read("file:///denied")],
    ["subscription", subscribe("file:///denied")],
    ["completion", complete("crm__denied_prompt")],
  ])("of a %s is an error with the decision", async (_, subject) => {
    const { act, servers, admissions } = open();
    const reply = readReply(await act(subject));
    expect(reply).toMatchObject({
      kind: "error",
      code: 40_300,
      data: { "io.mcp-gateway/decision": { allow: false, reasons: ["named_denied"] } },
    });
    expect(admissions).toHaveLength(1);
    expect(servers["crm"]?.sent).toEqual([]);
  });

  test.each([
    ["a prompt", prompt("crm__ungranted")],
    ["a resource", read("file:///ungranted")],
    ["a completion", complete("crm__ungranted")],
  ])("is %s that a rule for tools alone would grant", async (_, subject) => {
    const { act } = open();
    expect(JSON.stringify(readReply(await act(subject)))).toContain("no_rule_allows");
  });

  test("is held where a person has to approve it", async () => {
    const settings = { approvals: { wait: "50ms" } };
    const { act, admissions, servers } = openGateway({ servers: { crm }, policies, settings });
    const reply = readReply(await act(call("crm__approved_tool")));
    expect(reply).toMatchObject({ isError: true });
    expect(admissions).toMatchObject([{ answer: { allow: false, effect: "hold" } }]);
    expect(servers["crm"]?.sent).toEqual([]);
  });
});

describe("what does not exist", () => {
  test.each([
    ["a tool", call("crm__hidden_tool"), call("crm__nothing_tool")],
    ["a prompt", prompt("hidden__greet"), prompt("nothing__greet")],
    ["a resource", read("hidden:a"), read("nothing:a")],
    ["a subscription", subscribe("hidden:a"), subscribe("nothing:a")],
    ["a completion", complete("hidden__greet"), complete("nothing__greet")],
  ])("and what is hidden are one answer (%s)", async (_, exists, nothing) => {
    const { act, admissions } = open();
    const answers = [];
    for (const subject of [exists, nothing]) {
      answers.push(JSON.stringify(await act(subject)).replaceAll(/hidden|nothing/g, "X"));
    }
    expect(answers[0]).toBe(answers[1]);
    expect(answers[0]).toMatch(/-32602|-32002/);
    expect(admissions.map(({ answer }) => answer.reasons)).toEqual([
      ["tool_hidden"],
      ["unknown_tool"],
    ]);
  });

  test.each([
    ["2025-11-25", -32_002],
    ["2026-07-28", -32_602],
  ])("is an unknown resource in %s with code %i", async (protocolVersion, code) => {
    const { act } = open();
    const client = modernClient({ protocolVersion });
    for (const subject of [read("x:nothing"), subscribe("x:nothing"), read("hidden:a")]) {
      expect(await act(subject, { client })).toMatchObject({
        kind: "error",
        code,
        message: "Resource not found",
      });
    }
  });

  test("is a tool for whom policy shows it to others", async () => {
    const { act } = open();
    const staff = principal("bob", {
      user: { id: "bob", groups: ["staff"], data_classifications_authorized: [] },
    });
    expect(readReply(await act(call("crm__staff_tool")))).toMatchObject({ code: -32_602 });
    const client = modernClient({ principal: staff });
    expect(readReply(await act(call("crm__staff_tool"), { client }))).toMatchObject({
      kind: "result",
    });
  });

  test.each([
    ["a tool", call("crm__get")],
    ["a prompt", prompt("crm__greet")],
    ["a resource", read("file:///a")],
    ["a completion", complete("crm__greet")],
  ])("is %s of a server that the token does not name", async (_, subject) => {
    const { act, servers, admissions } = open();
    const client = modernClient({ principal: principal("alice", { servers: new Set(["mail"]) }) });
    expect(readReply(await act(subject, { client }))).toMatchObject({ kind: "error" });
    expect(servers["crm"]?.sent).toEqual([]);
    expect(admissions).toMatchObject([{ answer: { reasons: ["outside_capabilities"] } }]);
    const named = modernClient({ principal: principal("alice", { servers: new Set(["crm"]) }) });
    expect((await act(subject, { client: named })).kind).toBe("result");
  });
});
