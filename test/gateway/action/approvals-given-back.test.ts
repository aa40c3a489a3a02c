import { beforeAll, describe, expect, test } from "vitest";
import type { ActionReply } from "../../../src/gateway/gateway.ts";
import type { UpstreamReply } from "../../../src/mcp/upstream/upstream-connection.ts";
import { result, text } from "../fake-server.ts";
import { modernClient, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileApprovingPolicies, openApproving } from "./open-approving.ts";
import { config, retryOf } from "./open-asking.ts";

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileApprovingPolicies();
});

const settings = { approvals: { wait: "300ms" } };
const textOf = (reply: ActionReply) => JSON.stringify(readReply(reply));
const elicitation = { method: "elicitation/create", params: { message: "which?" } };
const unavailable = { kind: "failed", code: "upstream_unavailable", message: "away" } as const;

/** A server that ends its first call so, and answers the others; the call was approved. */
async function openFailing(first: UpstreamReply) {
  const replies = [first];
  const opened = openApproving(policies, {
    settings,
    server: { answer: ({ method }) => (method === "tools/call" ? replies.shift() : undefined) },
  });
  await opened.call("wipe");
  await opened.rule("wipe");
  const events = () => opened.notes.map((note) => (note.kind === "approval" ? note.event : ""));
  return { ...opened, events };
}

describe("an approval whose call came to nothing", () => {
  test.each(["upstream_unavailable", "upstream_busy", "upstream_unauthorized"] as const)(
    "is given back where nothing was sent (%s), and is good for the same call once",
    async (code) => {
      const { call, all, events, notes, admissions } = await openFailing({ ...unavailable, code });
      expect(textOf(await call("wipe"))).toContain(code);
      expect(await all()).toMatchObject([{ status: "approved", uses: 0, used_by: null }]);
      expect(notes.at(-1)).toMatchObject({
        event: "given_back",
        forDecisionId: admissions.at(-1)?.decisionId,
      });
      expect(textOf(await call("wipe", { other: true }))).toContain("approval_required");
      expect(textOf(await call("wipe"))).toContain("done");
      expect(textOf(await call("wipe"))).toContain("approval_required");
      expect(events().filter((event) => event === "used")).toHaveLength(2);
    },
  );

  test.each([
    ["upstream_lost", {}],
    ["upstream_timeout", {}],
    ["upstream_garbage", {}],
    ["upstream_oversize", {}],
    ["cancelled", {}],
    ["upstream_busy", { wasSent: true }],
    ["upstream_unauthorized", { wasSent: true }],
  ] as const)("stays used where a byte may have left (%s, %o)", async (code, more) => {
    const { call, all, events } = await openFailing({ ...unavailable, code, ...more });
    await call("wipe");
    expect(await all()).toMatchObject([{ status: "used", uses: 1 }]);
    expect(events()).toEqual(["requested", "approved", "used"]);
    expect(textOf(await call("wipe"))).toContain("approval_required");
  });

  test("stays used where the server answered an error", async () => {
    const error = { code: -32_000, message: "no" };
    const { call, all } = await openFailing({ kind: "error", error });
    await call("wipe");
    expect(await all()).toMatchObject([{ status: "used" }]);
  });

  test("is given back where the decision was not recorded", async () => {
    const { call, all, rule, disk, sent } = openApproving(policies, { settings });
    await call("wipe");
    await rule("wipe");
    let admissions = 0;
    disk.admit = async () => {
      admissions += 1;
      if (admissions === 2) throw new Error("full");
    };
    expect(textOf(await call("wipe"))).toContain("audit_unavailable");
    expect(await all()).toMatchObject([{ status: "approved", uses: 0 }]);
    expect(sent()).toEqual([]);
    expect(textOf(await call("wipe"))).toContain("done");
  });

  test("is given back where its client went before it was sent", async () => {
    const { call, all, rule, disk, sent } = openApproving(policies, { settings });
    await call("wipe");
    await rule("wipe");
    const course = new AbortController();
    let admissions = 0;
    disk.admit = async () => {
      admissions += 1;
      if (admissions === 2) course.abort();
    };
    await call("wipe", {}, { signal: course.signal });
    expect(sent()).toEqual([]);
    expect(await all()).toMatchObject([{ status: "approved" }]);
  });

  test("is given back where somebody was blocked before it was sent", async () => {
    const { call, all, rule, disk, blocks, sent } = openApproving(policies, { settings });
    await call("wipe");
    await rule("wipe");
    let admissions = 0;
    disk.admit = async () => {
      admissions += 1;
      if (admissions !== 2) return;
      const subject = { kind: "agent", id: "bot" } as const;
      await blocks.block({ subject, by: "op", reason: null }, undefined);
    };
    expect(textOf(await call("wipe"))).toContain("it was not sent");
    expect(sent()).toEqual([]);
    expect(await all()).toMatchObject([{ status: "approved" }]);
  });

  test("is given back with the next request where it could not be at once", async () => {
    const { call, all, notes } = await openFailing(unavailable);
    const write = notes.push.bind(notes);
    notes.push = (...more) => {
      const isGift = more.some((note) => note.kind === "approval" && note.event === "given_back");
      if (isGift) throw new Error("full");
      return write(...more);
    };
    await call("wipe");
    expect(await all()).toMatchObject([{ status: "used" }]);
    notes.push = write;
    expect(textOf(await call("wipe"))).toContain("done");
    expect(await all()).toMatchObject([{ status: "used", uses: 1 }]);
    expect(textOf(await call("wipe"))).toContain("approval_required");
  });

  test("is given back to a retry, which may come once more", async () => {
    const replies = [
      result({
        resultType: "input_required",
        inputRequests: { q: elicitation },
        requestState: "s",
      }),
      unavailable,
      text("done"),
    ];
    const { call, all, rule, sent } = openApproving(policies, {
      settings,
      server: {
        era: "modern",
        config,
        answer: ({ method }) => (method === "tools/call" ? replies.shift() : undefined),
      },
    });
    const client = modernClient({ capabilities: { elicitation: { form: {} } } });
    await call("slow", {}, { client });
    await rule("slow");
    const retry = { client, ...retryOf(await call("slow", {}, { client })) };
    expect(textOf(await call("slow", {}, retry))).toContain("upstream_unavailable");
    expect(await all()).toMatchObject([{ status: "used", uses: 1 }]);
    expect(textOf(await call("slow", {}, retry))).toContain("done");
    expect(textOf(await call("slow", {}, retry))).toContain("approval_required");
    expect(sent()).toHaveLength(3);
  });
});
