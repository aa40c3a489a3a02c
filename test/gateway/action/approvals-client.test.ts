import { beforeAll, describe, expect, test } from "vitest";
import type { ActionReply, ClientQuestion, ClientReply } from "../../../src/gateway/gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { legacyClient, modernClient, principal, readReply, stateOf } from "../open-gateway.ts";
import { compileApprovingPolicies, openApproving, person } from "./open-approving.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileApprovingPolicies();
});

const able = { capabilities: { elicitation: {} } };
const soon = { approvals: { wait: "400ms" } };
const textOf = (reply: ActionReply) => JSON.stringify(readReply(reply));
const approve = { action: "accept", content: { decision: "approve" } };

function asking(answer: object | undefined) {
  const asked: ClientQuestion[] = [];
  const ask = async (question: ClientQuestion): Promise<ClientReply> => {
    asked.push(question);
    if (answer !== undefined) return { kind: "result", resultJson: JSON.stringify(answer) };
    return await new Promise(() => {});
  };
  return { asked, request: { client: legacyClient(able), ask } };
}

describe("a legacy client", () => {
  test("is asked while its call waits, with server, tool and arguments whole", async () => {
    const { call, notes, sent } = openApproving(policies);
    const { asked, request } = asking(approve);
    const reply = await call("form", { id: "C-17", note: "a\u202Eb\u0007\nc" }, request);
    expect(textOf(reply)).toContain("done");
    expect(sent()).toHaveLength(1);
    const [question] = asked;
    expect(asked).toHaveLength(1);
    expect(question?.method).toBe("elicitation/create");
    const { message, requestedSchema } = JSON.parse(question?.paramsJson ?? "");
    expect(message).toContain('Server: "crm"');
    expect(message).toContain('Tool: "form"');
    expect(message).toContain('{"id":"C-17","note":"a\\u202eb\\u0007\\nc"}');
    expect(message).not.toMatch(/[\u202E\u0007]/);
    expect(requestedSchema.properties.decision.enum).toEqual(["deny", "approve"]);
    expect(notes).toMatchObject([
      { event: "requested" },
      { event: "approved", by: "alice", channel: "client" },
      { event: "used" },
    ]);
  });

  test.each([
    ["declines", { action: "decline" }],
    ["denies in the form", { action: "accept", content: { decision: "deny" } }],
  ])("that %s has denied the call", async (_, answer) => {
    const { call, sent } = openApproving(policies);
    expect(textOf(await call("form", {}, asking(answer).request))).toContain("approval_denied");
    expect(sent()).toEqual([]);
  });

  test.each([
    ["closes the form", { action: "cancel" }],
    ["accepts without a decision", { action: "accept" }],
    ["accepts with another word", { action: "accept", content: { decision: "yes" } }],
    ["accepts with a flag", { action: "accept", content: { decision: true } }],
    ["sends an empty object", {}],
  ])("that %s has not decided", async (_, answer) => {
    const { call, sent, all } = openApproving(policies, { settings: soon });
    const { asked, request } = asking(answer);
    expect(textOf(await call("form", {}, request))).toContain("approval_required");
    expect(asked).toHaveLength(1);
    expect(sent()).toEqual([]);
    expect(await all()).toMatchObject([{ status: "pending" }]);
  });

  test("is not asked where policy does not accept it, nor where it cannot show a form", async () => {
    const { call } = openApproving(policies, { settings: soon });
    const { asked, request } = asking(approve);
    expect(textOf(await call("wipe", {}, request))).toContain("approval_required");
    const unable = { ...request, client: legacyClient() };
    expect(textOf(await call("form", {}, unable))).toContain("approval_required");
    expect(asked).toEqual([]);
  });

  test("is not asked about more than a form can show whole", async () => {
    const { call } = openApproving(policies, { settings: soon });
    const { asked, request } = asking(approve);
    const reply = await call("form", { text: "x".repeat(20_000) }, request);
    expect(textOf(reply)).toContain("approval_required");
    expect(asked).toEqual([]);
  });

  test("has its question taken back when somebody else decides", async () => {
    const { call, rule } = openApproving(policies);
    const { asked, request } = asking(undefined);
    const calling = call("form", {}, request);
    await rule("form", { approver: person("ann") });
    expect(textOf(await calling)).toContain("done");
    expect(asked[0]?.signal.aborted).toBe(true);
  });
});

describe("a modern client", () => {
  const client = modernClient(able);
  const back = (reply: ActionReply, answer: object) => ({
    client,
    requestState: stateOf(reply),
    inputResponsesJson: JSON.stringify({ approval: answer }),
  });

  test("gets the question in place of a result, and its call runs when it is back", async () => {
    const { call, admissions, sent } = openApproving(policies);
    const asked = await call("form", { id: "C-17" }, { client });
    expect(readReply(asked)).toMatchObject({
      resultType: "input_required",
      inputRequests: { approval: { method: "elicitation/create" } },
    });
    expect(textOf(asked)).toContain("C-17");
    expect(sent()).toEqual([]);
    const reply = await call("form", { id: "C-17" }, back(asked, approve));
    expect(textOf(reply)).toContain("done");
    expect(sent()).toHaveLength(1);
    // What was said to the gateway is neither policy's nor the server's.
    expect(JSON.parse(admissions.at(-1)?.inputJson ?? "").action.input_responses).toBe(undefined);
    expect(sent()[0]?.params).not.toHaveProperty("inputResponses");
    expect(sent()[0]?.params).not.toHaveProperty("requestState");
  });

  test("runs its call once, however often it comes back", async () => {
    const { call, sent } = openApproving(policies, { settings: soon });
    const asked = await call("form", {}, { client });
    const answers = Array.from({ length: 20 }, () => call("form", {}, back(asked, approve)));
    const replies = (await Promise.all(answers)).map(textOf);
    expect(replies.filter((reply) => reply.includes("done"))).toHaveLength(1);
    expect(sent()).toHaveLength(1);
  });

  test("is denied when its person declines", async () => {
    const { call, sent } = openApproving(policies);
    const asked = await call("form", {}, { client });
    const reply = await call("form", {}, back(asked, { action: "decline" }));
    expect(textOf(reply)).toContain("approval_denied");
    expect(sent()).toEqual([]);
  });

  test("waits for others when it comes back without a decision, and is not asked twice", async () => {
    const { call } = openApproving(policies, { settings: soon });
    const asked = await call("form", {}, { client });
    const reply = textOf(await call("form", {}, back(asked, { action: "cancel" })));
    expect(reply).toContain("waits for an approver");
    expect(reply).not.toContain("input_required");
  });

  test("cannot answer for other arguments, another person or without having been asked", async () => {
    const { call, sent } = openApproving(policies, { settings: soon });
    const asked = await call("form", { id: "C-17" }, { client });
    await call("form", { id: "C-18" }, back(asked, approve));
    const bob = modernClient({ ...able, principal: principal("bob") });
    await call("form", { id: "C-17" }, { ...back(asked, approve), client: bob });
    const unasked = { client, inputResponsesJson: JSON.stringify({ approval: approve }) };
    await call("form", { id: "C-17" }, unasked);
    expect(sent()).toEqual([]);
  });
});
