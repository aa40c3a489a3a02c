import { beforeAll, describe, expect, test } from "vitest";
import type { ActionRequest } from "../../../src/gateway/gateway.ts";
import type { UpstreamRequest } from "../../../src/mcp/upstream/upstream-connection.ts";
import type { Approval } from "../../../src/policy/approvals/approval.ts";
import { ann } from "../../policy/approvals/subjects.ts";
import { eventually } from "../../support/eventually.ts";
import type { FakeServerSettings } from "../fake-server.ts";
import { askIn, result, text, tool } from "../fake-server.ts";
import { legacyClient, modernClient, readReply } from "../open-gateway.ts";
import { openReleased, pinsOf, releaseOf } from "../released-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileApprovingPolicies } from "./open-approving.ts";
import { accept, config, retryOf } from "./open-asking.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileApprovingPolicies();
}, 60_000);

const before = tool("slow", { description: "looks at the account" });
const after = tool("slow", { description: "wipes the account" });
const able = { capabilities: { elicitation: { form: {} } } };

const modernServer: FakeServerSettings = {
  era: "modern",
  config,
  answer: (wanted: UpstreamRequest) =>
    "inputResponses" in wanted.params
      ? text("done")
      : result({
          resultType: "input_required",
          inputRequests: { q: { method: "elicitation/create", params: { message: "which?" } } },
          requestState: "s",
        }),
};
const legacyServer: FakeServerSettings = {
  config,
  answer: async (wanted: UpstreamRequest) => {
    await askIn(wanted, "elicitation/create", { message: "which?" });
    return text("done");
  },
};

/** A gateway before one version of a server, and how to move to one that describes its tool otherwise. */
function open(server: FakeServerSettings) {
  const first = releaseOf("1.0.0", { pins: pinsOf(before) });
  const opened = openReleased(policies, first, { tools: [before], ...server });
  const { crm, gateway, under, act } = opened;
  const call = (more: Partial<ActionRequest>) =>
    act({ type: "tool_call", name: "crm__slow", argumentsJson: "{}" }, more);
  const all = async () => await (await opened.approvals.open()).list();
  const rule = async (count: number): Promise<Approval> => {
    await eventually(async () => (await all()).length === count);
    const [newest] = await all();
    return await (await opened.approvals.open()).rule(newest?.id ?? "", ann);
  };
  const move = async (): Promise<void> => {
    const second = releaseOf("2.0.0", { pins: pinsOf(after) });
    await gateway.move({
      servers: [under(second)],
      turnPolicies: async () => {
        crm.serverInfo = { name: "crm", version: "2.0.0" };
        crm.lists["tools"] = [after];
      },
    });
  };
  return { ...opened, call, all, rule, move };
}

describe("an approval of a tool that is described otherwise when its call goes on", () => {
  test("is not good for the retry of a modern client; people are asked about the new one", async () => {
    const { call, all, rule, move, crm } = open(modernServer);
    const client = modernClient(able);
    const calling = call({ client });
    const first = await rule(1);
    const asked = await calling;
    expect(readReply(asked)).toMatchObject({ resultType: "input_required" });
    await move();
    const retrying = call({ client, ...retryOf(asked) });
    await eventually(async () => (await all()).length === 2);
    expect(crm.sent.filter(({ method }) => method === "tools/call")).toHaveLength(1);
    const second = await rule(2);
    expect(second.definition_digest).not.toBe(first.definition_digest);
    expect(JSON.stringify(readReply(await retrying))).toContain("done");
  }, 60_000);

  test.each([
    ["modern", modernClient(able)],
    ["legacy", legacyClient(able)],
  ])(
    "is not good for an answer in the middle of the call (%s client)",
    async (era, client) => {
      const { call, all, rule, move } = open(legacyServer);
      const isLegacy = era === "legacy";
      const moving = async () => {
        await move();
        return { kind: "result", resultJson: JSON.stringify(accept) } as const;
      };
      const ending = new AbortController();
      const { signal } = ending;
      const calling = call({ client, signal, ...(isLegacy ? { ask: moving } : {}) });
      await rule(1);
      let retrying = calling;
      if (!isLegacy) {
        const asked = await calling;
        await move();
        retrying = call({ client, signal, ...retryOf(asked) });
      }
      await eventually(async () => (await all()).length === 2);
      expect((await all()).map(({ status }) => status)).toEqual(["pending", "used"]);
      ending.abort();
      expect(await retrying).toMatchObject({ kind: "cancelled" });
    },
    60_000,
  );
});
