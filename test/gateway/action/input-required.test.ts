import { beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/contract/json.ts";
import type { ActionRequest, Client, ClientReply } from "../../../src/gateway/gateway.ts";
import type { UpstreamRequest } from "../../../src/mcp/upstream/upstream-connection.ts";
import { result, text, tool } from "../fake-server.ts";
import {
  legacyClient,
  modernClient,
  openGateway,
  principal,
  readReply,
  stateOf,
} from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const all = { to_client: ["sampling", "elicitation", "roots"] };
const able = { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} };
const question = (message = "which?"): JsonObject => ({
  method: "elicitation/create",
  params: { message, requestedSchema: { type: "object", properties: {} } },
});

/** A modern server that asks until `rounds` answers came back. */
function openAsking(inputRequests: object | string, rounds = 1, config: object = all) {
  const asks = (wanted: UpstreamRequest, count: number) => {
    const requests =
      typeof inputRequests === "string" ? inputRequests : JSON.stringify(inputRequests);
    return result(
      `{"resultType":"input_required","inputRequests":${requests},"requestState":"state-${count}"}`,
    );
  };
  let count = 0;
  const gateway = openGateway({
    servers: {
      crm: {
        era: "modern",
        tools: [tool("get")],
        config,
        answer: (wanted) => {
          if (wanted.method !== "tools/call") return undefined;
          count += 1;
          return count <= rounds ? asks(wanted, count) : text("done");
        },
      },
    },
    policies,
  });
  const calls = () => gateway.servers["crm"]?.sent.filter(({ method }) => method === "tools/call");
  return { ...gateway, calls };
}

const accept: ClientReply = { kind: "result", resultJson: '{"action":"accept","content":{"n":1}}' };

function legacy(reply: ClientReply = accept, more: Partial<Client> = {}) {
  const asked: string[] = [];
  const request: Partial<ActionRequest> = {
    client: legacyClient({ capabilities: able, ...more }),
    ask: async ({ method, paramsJson }) => {
      asked.push(`${method} ${JSON.parse(paramsJson)["message"]}`);
      return reply;
    },
  };
  return { asked, request };
}

const modern = (more: Partial<ActionRequest> = {}): Partial<ActionRequest> => ({
  client: modernClient({ capabilities: able }),
  ...more,
});

describe("a legacy client before a modern server that wants input", () => {
  test("is asked, and its answers go back with the server's own state", async () => {
    const { call, calls } = openAsking({ a: question("first?"), b: question("second?") });
    const { asked, request } = legacy();
    expect(readReply(await call("crm__get", request))).toMatchObject({
      content: [{ text: "done" }],
    });
    expect(asked).toEqual(["elicitation/create [crm] first?", "elicitation/create [crm] second?"]);
    const answers = '{"action":"accept","content":{"n":1}}';
    expect(calls()?.map(({ params }) => params)).toEqual([
      { name: '"get"', arguments: "{}" },
      {
        name: '"get"',
        arguments: "{}",
        inputResponses: `{"a":${answers},"b":${answers}}`,
        requestState: '"state-1"',
      },
    ]);
  });

  test("has each retry decided and recorded again, with the answers", async () => {
    const { call, admissions } = openAsking({ a: question() }, 2);
    await call("crm__get", legacy().request);
    expect(admissions.map(({ actionType }) => actionType)).toEqual([
      "tool_call",
      "elicitation",
      "tool_call",
      "elicitation",
      "tool_call",
    ]);
    expect(JSON.parse(admissions[2]?.inputJson ?? "").action.input_responses).toEqual({
      a: { action: "accept", content: { n: 1 } },
    });
  });

  test("whose answer policy refuses has no retry made", async () => {
    const { call, calls } = openAsking({ a: question() });
    const refused: ClientReply = { kind: "result", resultJson: '{"content":"forbidden"}' };
    const reply = readReply(await call("crm__get", legacy(refused).request));
    expect(JSON.stringify(reply)).toContain("answer_refused");
    expect(calls()).toHaveLength(1);
  });

  test("is asked at most 64 questions at once, and of more none is decided", async () => {
    const keys = Array.from({ length: 65 }, (_, at) => [`q${at}`, question()]);
    const { call, admissions } = openAsking(Object.fromEntries(keys));
    const { asked, request } = legacy();
    const reply = await call("crm__get", request);
    expect(reply).toMatchObject({ kind: "error", data: { code: "input_refused" } });
    expect([asked, admissions.length]).toEqual([[], 1]);
  });

  test("is asked at most eight times", async () => {
    const { call, calls } = openAsking({ a: question() }, 100);
    const { asked, request } = legacy();
    expect(readReply(await call("crm__get", request))).toMatchObject({
      kind: "error",
      data: { code: "input_refused" },
    });
    expect(asked).toHaveLength(8);
    expect(calls()).toHaveLength(9);
  });

  test.each([
    ["a question that policy refuses", question("forbidden"), {}],
    ["a question that it did not declare", question(), { capabilities: {} }],
    ["a method that is none", { method: "vendor/ask", params: {} }, {}],
  ])("is not asked %s, and its request ends", async (_, asked, more) => {
    const { call, calls } = openAsking({ a: asked });
    const client = legacy(accept, more);
    expect(readReply(await call("crm__get", client.request))).toMatchObject({
      kind: "error",
      data: { code: "input_refused" },
    });
    expect(client.asked).toEqual([]);
    expect(calls()).toHaveLength(1);
  });

  test("that is gone in between has no retry made", async () => {
    const { call, calls, admissions } = openAsking({ a: question() });
    const controller = new AbortController();
    const reply = await call("crm__get", {
      client: legacyClient({ capabilities: able }),
      signal: controller.signal,
      ask: async () => {
        controller.abort();
        return accept;
      },
    });
    expect(reply).toEqual({ kind: "cancelled" });
    expect(calls()).toHaveLength(1);
    expect(admissions).toHaveLength(2);
  });
});

describe("a modern client before a modern server that wants input", () => {
  test("gets the decided questions and a state of the gateway's", async () => {
    const { call, admissions, outcomes } = openAsking({ a: question() });
    const reply = readReply(await call("crm__get", modern()));
    expect(reply).toMatchObject({
      resultType: "input_required",
      inputRequests: { a: { method: "elicitation/create", params: { message: "[crm] which?" } } },
    });
    expect(reply["requestState"]).not.toContain("state-1");
    expect(admissions.map(({ actionType }) => actionType)).toEqual(["tool_call", "elicitation"]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["completed", "completed"]);
  });

  test("comes back with answers and the state, which the server gets as it was", async () => {
    const { call, calls, admissions } = openAsking({ a: question() });
    const requestState = stateOf(await call("crm__get", modern()));
    const retry = modern({
      requestState,
      inputResponsesJson: '{"a":{"action":"accept"}}',
    });
    expect(readReply(await call("crm__get", retry))).toMatchObject({ content: [{ text: "done" }] });
    expect(calls()?.[1]?.params).toMatchObject({
      inputResponses: '{"a":{"action":"accept"}}',
      requestState: '"state-1"',
    });
    expect(JSON.parse(admissions[2]?.inputJson ?? "").action.input_responses).toEqual({
      a: { action: "accept" },
    });
  });

  test("is asked at most 64 questions at once, and of more none is decided", async () => {
    for (const count of [64, 65]) {
      const keys = Array.from({ length: count }, (_, at) => [`q${at}`, question()]);
      const { call, admissions } = openAsking(Object.fromEntries(keys));
      expect((await call("crm__get", modern())).kind).toBe(count > 64 ? "error" : "result");
      expect(admissions).toHaveLength(count > 64 ? 1 : 1 + 64);
    }
  });

  test("whose answers policy refuses does not reach the server", async () => {
    const { call, calls } = openAsking({ a: question() });
    const requestState = stateOf(await call("crm__get", modern()));
    const retry = modern({
      requestState,
      inputResponsesJson: '{"a":{"content":{"x":"forbidden"}}}',
    });
    expect(JSON.stringify(readReply(await call("crm__get", retry)))).toContain("answer_refused");
    expect(calls()).toHaveLength(1);
  });

  test.each([
    ["a state that it made up", { requestState: "c3RhdGU.c3RhdGU" }],
    ["the server's own state", { requestState: "state-1" }],
    ["an empty state", { requestState: "" }],
  ])("is refused %s, and nothing is sent", async (_, more) => {
    const { call, calls } = openAsking({ a: question() });
    await call("crm__get", modern());
    expect(await call("crm__get", modern(more))).toMatchObject({ kind: "error", code: -32_602 });
    expect(calls()).toHaveLength(1);
  });

  test("is refused the state of somebody else, of other arguments, and one that ran out", async () => {
    const { call, calls, act, time } = openAsking({ a: question() });
    const requestState = stateOf(await call("crm__get", modern()));
    const state = { requestState };
    const bob = modernClient({ capabilities: able, principal: principal("bob") });
    const refused = [
      await call("crm__get", modern({ ...state, client: bob })),
      await act({ type: "tool_call", name: "crm__get", argumentsJson: '{"a":1}' }, modern(state)),
    ];
    time.skewMs = 11 * 60 * 1000;
    refused.push(await call("crm__get", modern(state)));
    expect(refused.map((reply) => reply.kind === "error" && reply.code)).toEqual([
      -32_602, -32_602, -32_602,
    ]);
    expect(calls()).toHaveLength(1);
    time.skewMs = 0;
    expect((await call("crm__get", modern(state))).kind).toBe("result");
  });

  test.each([
    ["the operator does not list it", question(), {}, able],
    ["policy refuses it", question("forbidden"), all, able],
    ["the client did not declare it", question(), all, {}],
    ["it is no question", { method: "tools/call", params: {} }, all, able],
    ["it is not an object", "elicitation/create", all, able],
  ])("gets no question where %s", async (_, asked, config, capabilities) => {
    const { call } = openAsking({ a: asked }, 1, config);
    const reply = readReply(await call("crm__get", { client: modernClient({ capabilities }) }));
    expect(reply).toMatchObject({ kind: "error", data: { code: "input_refused" } });
  });

  test.each([
    [
      "of two with one key",
      '{"a":{"method":"elicitation/create","params":{"message":"undecided"}},"a":{"method":"elicitation/create","params":{"message":"decided"}}}',
    ],
    [
      "with two messages",
      '{"a":{"method":"elicitation/create","params":{"message":"undecided","message":"decided"}}}',
    ],
    [
      "with two pages",
      '{"a":{"method":"elicitation/create","params":{"mode":"url","message":"decided","url":"https://undecided.example","url":"https://a.example"}}}',
    ],
    [
      "beside others that are none",
      '{"a":{"method":"elicitation/create","params":{"message":"decided"},"undecided":1}}',
    ],
    [
      "with a progress token",
      '{"a":{"method":"elicitation/create","params":{"message":"decided","_meta":{"progressToken":"undecided"}}}}',
    ],
  ])("gets exactly the question that was decided (%s)", async (_, requests) => {
    const { call, admissions } = openAsking(requests);
    const reply = await call("crm__get", modern());
    const shown = reply.kind === "result" ? reply.bytes.toString() : "";
    expect(shown).toContain("[crm] decided");
    expect(shown).not.toContain("undecided");
    expect(admissions).toHaveLength(2);
  });

  test("gets no questions in a list, which nobody decided", async () => {
    const { call } = openAsking(JSON.stringify([question("undecided")]));
    const reply = await call("crm__get", modern());
    expect(JSON.stringify(readReply(reply))).not.toContain("undecided");
  });
});
