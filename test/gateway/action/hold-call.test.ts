import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { ActionReply, ActionRequest, ClientNotice } from "../../../src/gateway/gateway.ts";
import { eventually } from "../../support/eventually.ts";
import { askIn, result, text, tool } from "../fake-server.ts";
import { modernClient, openGateway, principal, readReply, stateOf } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";
import { able, accept, config, openAsking, retryOf } from "./open-asking.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const invalid = { kind: "error", code: -32_602 };

describe("a held call", () => {
  test("gives its question to the client and ends with the result of the same request", async () => {
    const { call, sent, answers, events } = openAsking(policies);
    const asked = await call();
    expect(readReply(asked)).toMatchObject({
      resultType: "input_required",
      inputRequests: {
        elicitation_create_1: {
          method: "elicitation/create",
          params: { message: "[crm] which?" },
        },
      },
    });
    expect(readReply(await call(retryOf(asked)))).toMatchObject({ content: [{ text: "done" }] });
    expect(sent()).toHaveLength(1);
    expect(answers).toEqual([{ kind: "result", resultJson: JSON.stringify(accept) }]);
    expect(events).toEqual([
      "admit",
      "sent tools/call",
      "admit",
      "settle completed",
      "admit",
      "settle completed",
      "settle completed",
    ]);
  });

  test("gives every further question in an exchange of its own", async () => {
    const { call, sent, answers, admissions } = openAsking(policies, [
      "first?",
      "second?",
      "third?",
    ]);
    let reply = await call();
    for (const message of ["first?", "second?", "third?"]) {
      expect(JSON.stringify(readReply(reply))).toContain(`[crm] ${message}`);
      reply = await call(retryOf(reply));
    }
    expect(readReply(reply)).toMatchObject({ content: [{ text: "done" }] });
    expect([sent().length, answers.length]).toEqual([1, 3]);
    expect(admissions.filter(({ actionType }) => actionType === "tool_call")).toHaveLength(4);
  });

  test("has each return decided, with its answers, before the server gets them", async () => {
    const { call, answers, admissions } = openAsking(policies);
    const asked = await call();
    const reply = await call(retryOf(asked, { action: "accept", content: { x: "forbidden" } }));
    expect(JSON.stringify(readReply(reply))).toContain("answer_refused");
    expect(JSON.parse(admissions.at(-1)?.inputJson ?? "").action.input_responses).toMatchObject({
      elicitation_create_1: { content: { x: "forbidden" } },
    });
    await delay(20);
    expect(answers.filter(({ kind }) => kind === "result")).toEqual([]);
  });

  test("is cancelled at the server when its return is denied", async () => {
    const { call, sent } = openAsking(policies);
    const asked = await call();
    expect(sent()[0]?.signal?.aborted).toBe(false);
    await call(retryOf(asked, { content: "forbidden" }));
    expect(sent()[0]?.signal?.aborted).toBe(true);
    expect(await call(retryOf(asked))).toMatchObject(invalid);
  });

  test("is not cancelled by a denied return of somebody else, or to another request", async () => {
    const { call, act, client, sent } = openAsking(policies);
    const asked = await call();
    const denied = retryOf(asked, { content: "forbidden" });
    const bob = modernClient({ capabilities: able, principal: principal("bob") });
    await call({ ...denied, client: bob });
    await act(
      { type: "tool_call", name: "crm__get", argumentsJson: '{"a":1}' },
      { ...denied, client },
    );
    expect(sent()[0]?.signal?.aborted).toBe(false);
    expect(readReply(await call(retryOf(asked)))).toMatchObject({ content: [{ text: "done" }] });
  });

  test("waits on where the client comes back without an answer, or with answers to nothing", async () => {
    const { call, answers } = openAsking(policies);
    const asked = await call();
    const { requestState } = retryOf(asked);
    for (const inputResponsesJson of [undefined, "{}", '{"elicitation_create_9":{}}']) {
      const again = await call({ requestState, inputResponsesJson });
      expect(JSON.stringify(readReply(again))).toContain("[crm] which?");
    }
    expect(answers).toEqual([]);
  });

  test("gives no second answer to a question that was answered", async () => {
    const { call, answers } = openAsking(policies, ["first?", "second?"]);
    const asked = await call();
    await call(retryOf(asked));
    const replayed = await call(retryOf(asked, { action: "decline" }));
    expect(JSON.stringify(readReply(replayed))).toContain("[crm] second?");
    expect(answers).toEqual([{ kind: "result", resultJson: JSON.stringify(accept) }]);
  });

  test("is over for a state that is used again after its end", async () => {
    const { call, sent } = openAsking(policies);
    const asked = await call();
    await call(retryOf(asked));
    expect(await call(retryOf(asked))).toMatchObject(invalid);
    expect(sent()).toHaveLength(1);
  });

  test("belongs to its principal and its request, and runs out", async () => {
    const { call, act, client, time, answers } = openAsking(policies);
    const retry = retryOf(await call());
    const bob = modernClient({ capabilities: able, principal: principal("bob") });
    const other = { type: "tool_call", name: "crm__get", argumentsJson: '{"a":1}' } as const;
    expect(await call({ ...retry, client: bob })).toMatchObject(invalid);
    expect(await act(other, { ...retry, client })).toMatchObject(invalid);
    time.skewMs = 11 * 60 * 1000;
    expect(await call(retry)).toMatchObject(invalid);
    expect(answers).toEqual([]);
  });

  test("is cancelled when its time is over", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { call, sent } = openAsking(policies);
      await call();
      vi.advanceTimersByTime(9 * 60 * 1000);
      expect(sent()[0]?.signal?.aborted).toBe(false);
      vi.advanceTimersByTime(2 * 60 * 1000);
      expect(sent()[0]?.signal?.aborted).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  test("is cancelled at the server when the client goes while it waits", async () => {
    const { call, sent, outcomes } = openAsking(policies, [], () => new Promise(() => {}));
    const controller = new AbortController();
    const reply = call({ signal: controller.signal });
    await expect.poll(() => sent().length, { timeout: 20_000 }).toBe(1);
    controller.abort();
    expect(await reply).toEqual({ kind: "cancelled" });
    expect(sent()[0]?.signal?.aborted).toBe(true);
    expect(outcomes).toMatchObject([{ outcome: "cancelled" }]);
  });

  test("is cancelled at the server when the client goes after it came back", async () => {
    let isBack = false;
    const { call, sent } = openAsking(policies, [], async (wanted) => {
      await askIn(wanted, "elicitation/create", { message: "which?" });
      isBack = true;
      return await new Promise(() => {});
    });
    const retry = retryOf(await call());
    const controller = new AbortController();
    const reply = call({ ...retry, signal: controller.signal });
    await eventually(() => isBack);
    expect(sent()[0]?.signal?.aborted).toBe(false);
    controller.abort();
    expect(await reply).toEqual({ kind: "cancelled" });
    expect(sent()[0]?.signal?.aborted).toBe(true);
  });

  test("has its question taken back where the server does so", async () => {
    const taken = new AbortController();
    const { call } = openAsking(policies, [], async (wanted) => {
      await askIn(wanted, "elicitation/create", { message: "which?" }, taken.signal);
      return text("without you");
    });
    const requestState = stateOf(await call());
    taken.abort();
    expect(readReply(await call({ requestState }))).toMatchObject({
      content: [{ text: "without you" }],
    });
  });

  test("tells its progress and messages to the exchange that is open", async () => {
    const { call } = openAsking(policies, [], async (wanted) => {
      wanted.onProgress?.({ progress: 1 });
      await askIn(wanted, "elicitation/create", { message: "which?" });
      wanted.onProgress?.({ progress: 2 });
      wanted.onNotification?.({ method: "notifications/message", params: { level: "info" } });
      return text("done");
    });
    const heard: unknown[] = [];
    const hear = (exchange: number): Partial<ActionRequest> => ({
      onProgress: ({ progress }) => heard.push([exchange, progress]),
      onNotification: ({ method }: ClientNotice) => heard.push([exchange, method]),
    });
    const asked = await call(hear(1));
    await call({ ...retryOf(asked), ...hear(2) });
    expect(heard).toEqual([
      [1, 1],
      [2, 2],
      [2, "notifications/message"],
    ]);
  });

  test("is one of at most 32 of a principal; the server of one more is told so", async () => {
    const { call, answers, gateway } = openAsking(policies);
    const held: ActionReply[] = [];
    for (let count = 0; count < 32; count += 1) held.push(await call());
    expect(held.every((reply) => readReply(reply)["resultType"] === "input_required")).toBe(true);
    expect(readReply(await call())).toMatchObject({ content: [{ text: "done" }] });
    expect(answers).toMatchObject([{ kind: "error", error: { code: -32_603 } }]);
    const bob = modernClient({ capabilities: able, principal: principal("bob") });
    expect(readReply(await call({ client: bob }))["resultType"]).toBe("input_required");
    await gateway.close();
  });

  test("asks nothing that was denied", async () => {
    const { call, answers } = openAsking(policies, ["forbidden"]);
    expect(readReply(await call())).toMatchObject({ content: [{ text: "done" }] });
    expect(JSON.stringify(answers)).toContain("question_refused");
  });

  test("is cancelled when the gateway closes", async () => {
    const { call, sent, gateway } = openAsking(policies);
    await call();
    await gateway.close();
    expect(sent()[0]?.signal?.aborted).toBe(true);
  });
});

describe("the state of a held call", () => {
  test("is nothing to another gateway, whose server gives states of its own", async () => {
    const held = openAsking(policies);
    const { requestState } = retryOf(await held.call());
    const { call, servers } = openGateway({
      servers: {
        crm: { era: "modern", tools: [tool("get")], config, answer: () => result({ content: [] }) },
      },
      policies,
    });
    const reply = await call("crm__get", { client: held.client, requestState });
    expect(reply).toMatchObject(invalid);
    expect(servers["crm"]?.sent.filter(({ method }) => method === "tools/call")).toEqual([]);
  });
});
