import { beforeAll, describe, expect, test } from "vitest";
import type { ActionReply } from "../../../src/gateway/gateway.ts";
import type { UpstreamRequest } from "../../../src/mcp/upstream/upstream-connection.ts";
import { askIn, result, text } from "../fake-server.ts";
import { legacyClient, modernClient, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileApprovingPolicies, openApproving } from "./open-approving.ts";
import { accept, config, retryOf } from "./open-asking.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileApprovingPolicies();
});

const able = { capabilities: { elicitation: { form: {} } } };
const settings = { approvals: { wait: "400ms" } };
const textOf = (reply: ActionReply) => JSON.stringify(readReply(reply));
const elicitation = { method: "elicitation/create", params: { message: "which?" } };

/** Asks once before it answers; with or without a state of its own. */
function modernServer(requestState?: string) {
  return {
    era: "modern" as const,
    config,
    answer: (wanted: UpstreamRequest) =>
      "inputResponses" in wanted.params
        ? text("done")
        : result({
            resultType: "input_required",
            inputRequests: { q: elicitation },
            ...(requestState === undefined ? {} : { requestState }),
          }),
  };
}

const legacyServer = {
  config,
  answer: async (wanted: UpstreamRequest) => {
    await askIn(wanted, "elicitation/create", { message: "which?" });
    return text("done");
  },
};

/** An approved call that its server asks about, and a retry whose answer needs people again. */
async function askedTwice() {
  const opened = openApproving(policies, { settings, server: modernServer("s") });
  const { call, rule } = opened;
  const client = modernClient(able);
  await call("slow", {}, { client });
  await rule("slow");
  const asked = await call("slow", {}, { client });
  const answer = { action: "accept", content: { x: "needs a person" } };
  return { ...opened, client, asked, retry: { client, ...retryOf(asked, answer) } };
}

describe("a retry of an approved call", () => {
  test.each([
    ["with a state of the server's", "s"],
    ["without one", undefined],
  ])("runs on the approval of the call (modern client and server, %s)", async (_, state) => {
    const { call, rule, all, sent } = openApproving(policies, {
      settings,
      server: modernServer(state),
    });
    const client = modernClient(able);
    await call("slow", {}, { client });
    await rule("slow");
    const asked = await call("slow", {}, { client });
    expect(readReply(asked)).toMatchObject({ resultType: "input_required" });
    const retries = [1, 2, 3].map(() => call("slow", {}, { client, ...retryOf(asked) }));
    const replies = (await Promise.all(retries)).map(textOf);
    expect(replies.filter((reply) => reply.includes("done"))).toHaveLength(1);
    expect(replies.filter((reply) => reply.includes("approval_required"))).toHaveLength(2);
    expect(sent()).toHaveLength(2);
    expect(sent()[1]?.params["requestState"]).toBe(state === undefined ? undefined : '"s"');
    expect((await all()).map(({ status, uses }) => [status, uses])).toEqual([
      ["pending", 0],
      ["used", 2],
    ]);
  });

  test("runs on the approval of the call (legacy client, modern server)", async () => {
    const { call, rule, sent, all } = openApproving(policies, {
      settings,
      server: modernServer("s"),
    });
    const request = {
      client: legacyClient(able),
      ask: async () => ({ kind: "result", resultJson: JSON.stringify(accept) }) as const,
    };
    await call("slow", {}, request);
    await rule("slow");
    expect(textOf(await call("slow", {}, request))).toContain("done");
    expect(sent()).toHaveLength(2);
    expect(await all()).toHaveLength(1);
  });

  test.each([
    ["legacy", legacyClient(able)],
    ["modern", modernClient(able)],
  ])("runs on the approval of the call (%s client, legacy server)", async (era, client) => {
    const { call, rule, sent, all } = openApproving(policies, { settings, server: legacyServer });
    const ask = async () => ({ kind: "result", resultJson: JSON.stringify(accept) }) as const;
    const request = era === "legacy" ? { client, ask } : { client };
    await call("slow", {}, request);
    await rule("slow");
    let reply = await call("slow", {}, request);
    if (era === "modern") reply = await call("slow", {}, { client, ...retryOf(reply) });
    expect(textOf(reply)).toContain("done");
    expect(sent()).toHaveLength(1);
    expect(await all()).toMatchObject([{ status: "used" }]);
  });

  test("asks people again for what only its answers need", async () => {
    const { call, rule, all } = openApproving(policies, { settings, server: modernServer("s") });
    const client = modernClient(able);
    const asked = await call("plain", {}, { client });
    expect(readReply(asked)).toMatchObject({ resultType: "input_required" });
    const answer = { action: "accept", content: { x: "needs a person" } };
    const retry = { client, ...retryOf(asked, answer) };
    expect(textOf(await call("plain", {}, retry))).toContain("approval_required");
    const held = await all();
    expect(held).toHaveLength(1);
    await rule("plain");
    const other = { action: "accept", content: { x: "needs a person too" } };
    const changed = { client, ...retryOf(asked, other) };
    expect(textOf(await call("plain", {}, changed))).toContain("approval_required");
    expect(textOf(await call("plain", {}, retry))).toContain("done");
  });

  test("takes none of its approvals where another retry has used up one of them", async () => {
    const { call, rule, all, sent, client, asked, retry } = await askedTwice();
    expect(textOf(await call("slow", {}, retry))).toContain("approval_required");
    const second = await rule("slow");
    expect(textOf(await call("slow", {}, { client, ...retryOf(asked) }))).toContain("done");
    expect(textOf(await call("slow", {}, retry))).toContain("approval_required");
    expect(sent()).toHaveLength(2);
    const kept = (await all()).find(({ id }) => id === second.id);
    expect(kept).toMatchObject({ status: "approved", uses: 0 });
  });

  test("gives back what it took where somebody is quicker to use the next", async () => {
    const { approvals, call, rule, all, sent, retry } = await askedTwice();
    await call("slow", {}, retry);
    await rule("slow");
    const before = (await all()).map(({ status, uses }) => [status, uses]);

    const opened = await approvals.open();
    const claim = opened.claim.bind(opened);
    const claimed: string[] = [];
    opened.claim = async (id, ...more) => {
      claimed.push(id);
      return claimed.length === 2 ? undefined : await claim(id, ...more);
    };
    expect(textOf(await call("slow", {}, retry))).toContain("approval_required");
    expect(new Set(claimed).size).toBe(2);
    expect(sent()).toHaveLength(1);
    expect((await all()).slice(-2).map(({ status, uses }) => [status, uses])).toEqual(before);
    opened.claim = claim;
    expect(textOf(await call("slow", {}, retry))).toContain("done");
  });

  test("asks people again for what its answers need beside what the call needed", async () => {
    const { call, rule, all, sent, retry } = await askedTwice();
    expect(textOf(await call("slow", {}, retry))).toContain("approval_required");
    expect(sent()).toHaveLength(1);
    const second = await rule("slow");
    expect(second.requirements.map(({ rule: asking }) => asking)).toEqual([
      "p.identity.require_approval",
    ]);
    expect(textOf(await call("slow", {}, retry))).toContain("done");
    expect(sent()).toHaveLength(2);
    // The newest first; the call's own is used by the call and by its retry.
    expect((await all()).map(({ status, uses }) => [status, uses])).toEqual([
      ["used", 1],
      ["used", 2],
    ]);
    expect(textOf(await call("slow", {}, retry))).toContain("approval_required");
    expect(sent()).toHaveLength(2);
  });
});
