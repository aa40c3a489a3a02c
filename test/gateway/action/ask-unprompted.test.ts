import { beforeAll, describe, expect, test } from "vitest";
import type { FakeServerSettings } from "../fake-server.ts";
import { tool } from "../fake-server.ts";
import { legacyClient, openGateway } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

const all = { to_client: ["sampling", "elicitation", "roots"] };
const able = { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} };

describe("a question that belongs to no call", () => {
  const params = { message: "hello?" };

  function openListening(config: object, reply = '{"action":"decline"}') {
    const crm: FakeServerSettings = { tools: [tool("get")], config };
    const gateway = openGateway({ servers: { crm }, policies });
    const client = legacyClient({ capabilities: able });
    const asked: string[] = [];
    const stop = gateway.gateway.listen(client, {
      hear: () => {},
      ask: async ({ paramsJson }) => {
        asked.push(paramsJson);
        return { kind: "result", resultJson: reply };
      },
    });
    const askUnprompted = async () => {
      await gateway.call("crm__get", {
        client,
        ask: async () => ({ kind: "error", code: 1, message: "" }),
      });
      const { events } = gateway.servers["crm"]?.connections.at(-1) ?? {};
      const { signal } = new AbortController();
      return await events?.onRequest?.({
        method: "elicitation/create",
        params,
        signal,
        isAttributed: true,
      });
    };
    return { ...gateway, asked, stop, askUnprompted };
  }

  test("reaches the client that listens, decided", async () => {
    const { askUnprompted, asked, admissions } = openListening(all);
    expect(await askUnprompted()).toEqual({ kind: "result", resultJson: '{"action":"decline"}' });
    expect(asked).toEqual(['{"message":"[crm] hello?"}']);
    expect(admissions[1]).toMatchObject({ actionType: "elicitation", tool: null });
  });

  test("has its answer decided and recorded as the question's own action, before it leaves", async () => {
    const { askUnprompted, admissions, outcomes } = openListening(all);
    await askUnprompted();
    expect(admissions.slice(1).map(({ actionType }) => actionType)).toEqual([
      "elicitation",
      "elicitation",
    ]);
    expect(JSON.parse(admissions[2]?.inputJson ?? "").action).toMatchObject({
      type: "elicitation",
      direction: "to_client",
      message: params,
      input_responses: { elicitation_create_1: { action: "decline" } },
    });
    const outcome = outcomes.find(({ decisionId }) => decisionId === admissions[2]?.decisionId);
    expect(outcome).toMatchObject({ outcome: "completed" });
  });

  test("has an answer that policy refuses kept from the server", async () => {
    const { askUnprompted, asked } = openListening(all, '{"content":{"x":"forbidden"}}');
    const answer = await askUnprompted();
    expect(asked).toHaveLength(1);
    expect(answer).toMatchObject({ kind: "error", error: { code: 40_300 } });
    expect(JSON.stringify(answer)).not.toContain("forbidden");
  });

  test("reaches nobody where the operator lists nothing, or nobody listens", async () => {
    const closed = openListening({});
    expect(await closed.askUnprompted()).toMatchObject({ kind: "error" });
    const stopped = openListening(all);
    stopped.stop();
    expect(await stopped.askUnprompted()).toMatchObject({ kind: "error" });
    expect([closed.asked, stopped.asked]).toEqual([[], []]);
  });
});
