/**
 * What a legacy client answers in the middle of a call, on its way to a legacy server: decided as the
 * call itself with the answer in it, as the retry is in the other pairings.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { ClientReply } from "../../../src/gateway/gateway.ts";
import type { ClientAnswer } from "../../../src/mcp/upstream/upstream-connection.ts";
import type { FakeServerSettings } from "../fake-server.ts";
import { askIn, text, tool } from "../fake-server.ts";
import type { OpenGateway } from "../open-gateway.ts";
import { legacyClient, openGateway, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const config = { to_client: ["sampling", "elicitation", "roots"] };
const client = legacyClient({ capabilities: { sampling: {}, elicitation: {}, roots: {} } });
const accept: ClientReply = { kind: "result", resultJson: '{"action":"accept","content":{"n":1}}' };
const refused: ClientReply = { kind: "result", resultJson: '{"content":{"x":"forbidden"}}' };

interface Attended {
  /** False: the server does not say which call it is about, and there are several. */
  readonly isAttributed?: boolean;
  readonly reply?: ClientReply;
  /** Happens after the client answered, before its answer is decided. */
  readonly meanwhile?: (gateway: OpenGateway, takeBack: () => void) => void;
  /** What the server does with the answer. */
  readonly after?: (answer: ClientAnswer) => Promise<void>;
}

/** A call in whose course a legacy server asks once. */
async function attend({ reply = accept, meanwhile, after, isAttributed = true }: Attended = {}) {
  const answers: ClientAnswer[] = [];
  const taken = new AbortController();
  const crm: FakeServerSettings = {
    tools: [tool("get")],
    config,
    answer: async (wanted) => {
      const { signal } = taken;
      const answer = await askIn(
        wanted,
        "elicitation/create",
        { message: "?" },
        signal,
        isAttributed,
      );
      gateway.events.push("answered");
      answers.push(answer);
      await after?.(answer);
      return text("done");
    },
  };
  const gateway = openGateway({ servers: { crm }, policies });
  const ended = await gateway.act(
    { type: "tool_call", name: "crm__get", argumentsJson: '{"id":"7"}' },
    {
      client,
      ask: async () => {
        meanwhile?.(gateway, () => taken.abort());
        return reply;
      },
    },
  );
  return { ...gateway, answer: answers[0], ended, sent: gateway.servers["crm"]?.sent ?? [] };
}

/** The decision on the answer: the third, after those on the call and on the question. */
function onAnswer({ admissions, outcomes }: OpenGateway) {
  const admission = admissions[2];
  const { action } = JSON.parse(admission?.inputJson ?? "{}");
  const outcome = outcomes.find(({ decisionId }) => decisionId === admission?.decisionId);
  return { admission, action, outcome: outcome?.outcome };
}

describe("the answer of a legacy client", () => {
  test("is decided and on record before the server gets it, as the call that it continues", async () => {
    const attended = await attend();
    const { admission, action, outcome } = onAnswer(attended);
    expect(admission).toMatchObject({ actionType: "tool_call", tool: "get", server: "crm" });
    expect(action).toMatchObject({
      type: "tool_call",
      tool: "get",
      args: { id: "7" },
      input_responses: { elicitation_create_1: { action: "accept", content: { n: 1 } } },
    });
    expect(outcome).toBe("completed");
    const { events, answer } = attended;
    expect(events.lastIndexOf("admit")).toBeLessThan(events.indexOf("answered"));
    expect(answer).toEqual(accept);
  });

  test("that policy refuses does not reach the server, and ends the call with the denial", async () => {
    const attended = await attend({ reply: refused, after: () => new Promise(() => {}) });
    const { answer, ended, sent, outcomes, admissions } = attended;
    expect(answer).toMatchObject({ kind: "error", error: { code: 40_300 } });
    expect(JSON.stringify(answer)).not.toContain("forbidden");
    expect(JSON.stringify(readReply(ended))).toContain("answer_refused");
    expect(readReply(ended)).toMatchObject({ kind: "result", isError: true });
    expect(sent[0]?.signal?.aborted).toBe(true);
    expect(onAnswer(attended).admission?.answer.reasons).toEqual(["answer_refused"]);
    const call = outcomes.find(({ decisionId }) => decisionId === admissions[0]?.decisionId);
    expect(call).toMatchObject({ outcome: "cancelled" });
  });

  test("that cannot be recorded does not reach the server", async () => {
    const { answer, ended } = await attend({
      meanwhile: ({ disk }) => {
        disk.admit = () => Promise.reject(new Error("disk full"));
      },
    });
    expect(answer).toMatchObject({ kind: "error", error: { code: 40_300 } });
    expect(JSON.stringify(readReply(ended))).toContain("audit_unavailable");
  });

  test("that is an error is decided with its words, which leave too", async () => {
    const words = await attend({ reply: { kind: "error", code: -1, message: "not today" } });
    expect(words.answer).toEqual({ kind: "error", error: { code: -1, message: "not today" } });
    expect(onAnswer(words).action.input_responses).toEqual({
      elicitation_create_1: { error: { code: -1, message: "not today" } },
    });
    const smuggled = await attend({ reply: { kind: "error", code: -1, message: "forbidden" } });
    expect(JSON.stringify(smuggled.answer)).not.toContain("forbidden");
    expect(JSON.stringify(readReply(smuggled.ended))).toContain("answer_refused");
  });

  test("that the client never gave is no decision", async () => {
    const reply = {
      kind: "error",
      code: -32_800,
      message: "cancelled",
      origin: "gateway",
    } as const;
    const { admissions, answer } = await attend({ reply });
    expect(admissions.map(({ actionType }) => actionType)).toEqual(["tool_call", "elicitation"]);
    expect(answer).toMatchObject({ kind: "error", error: { code: -32_800 } });
  });

  test("to a question that was taken back is decided by nobody", async () => {
    const { admissions } = await attend({ meanwhile: (_, takeBack) => takeBack() });
    expect(admissions.map(({ actionType }) => actionType)).toEqual(["tool_call", "elicitation"]);
  });

  test("to a question that is taken back while it is decided was not forwarded", async () => {
    const attended = await attend({
      meanwhile: ({ disk }, takeBack) => {
        disk.admit = async () => takeBack();
      },
    });
    expect(onAnswer(attended).outcome).toBe("not_forwarded");
  });
});

describe("a call in whose course its client may be asked", () => {
  test("is cancelled at the server when its client goes", async () => {
    const crm = { tools: [tool("get")], config, answer: () => new Promise<never>(() => {}) };
    const { call, servers, outcomes } = openGateway({ servers: { crm }, policies });
    const controller = new AbortController();
    const ask = async (): Promise<ClientReply> => accept;
    const reply = call("crm__get", { client, ask, signal: controller.signal });
    await expect.poll(() => servers["crm"]?.sent.length, { timeout: 30_000 }).toBe(1);
    controller.abort();
    expect(await reply).toEqual({ kind: "cancelled" });
    expect(outcomes).toMatchObject([{ outcome: "cancelled" }]);
  });

  test("is not what a question is decided as that may be about another call", async () => {
    const { admissions, ended, answer } = await attend({ isAttributed: false });
    const types = admissions.map(({ actionType, tool: name }) => [actionType, name]);
    expect(types).toEqual([
      ["tool_call", "get"],
      ["elicitation", null],
      ["elicitation", null],
    ]);
    expect(admissions[2]?.inputJson).toContain('"input_responses"');
    expect(answer).toMatchObject({ kind: "result" });
    expect(readReply(ended)).toMatchObject({ content: [{ text: "done" }] });
  });
});
