import { describe, expect, test } from "vitest";
import type { ApprovalsConfig } from "../../../src/config/approvals-config.ts";
import { statusAt } from "../../../src/policy/approvals/approval.ts";
import { claim, expire, rule, withdraw } from "../../../src/policy/approvals/approval-changes.ts";
import { grantOf, isMet } from "../../../src/policy/approvals/approval-grant.ts";
import {
  bindingOf,
  makeApproval,
  shownArguments,
} from "../../../src/policy/approvals/approval-subject.ts";
import { approverOfSystem } from "../../../src/policy/approvals/known-approver.ts";
import { visibleJson } from "../../../src/policy/approvals/visible-json.ts";
import { load, minimal } from "../../config/support.ts";
import { principal } from "../../gateway/open-gateway.ts";
import { ann, element, person, subject, workflow } from "./subjects.ts";

const times = { ttlMs: 60_000, maxTtlMs: 120_000 };
const id = "01a2058b-8bd0-72b1-b5a4-1c6b02bbba0f";
const decisionId = "01a2058b-8bd0-72b1-b5a4-1c6b02bbba10";
const make = (more: Parameters<typeof element>[0] = {}) =>
  makeApproval(
    subject({}, { asked: [{ layer: workflow, match: element(more) }] }),
    times,
    id,
    1000,
  );

/** A configuration in which one person is two users of the machine. */
function carolIs(name: string): ApprovalsConfig {
  const { config } = load({
    ...minimal,
    approvals: { approvers: { [name]: { os_users: ["carol", "carolsudo"] } } },
  });
  return config.approvals;
}

describe("what an approval is bound to", () => {
  const same = bindingOf(subject({ id: "C-17", n: 1 }));

  test("is the same for the same arguments in another order", () => {
    expect(bindingOf(subject({ n: 1, id: "C-17" }))).toBe(same);
  });

  test.each([
    ["an argument", subject({ id: "C-17", n: 2 })],
    ["the form of an argument", subject({ id: "C-17", n: "1" })],
    ["a further argument", subject({ id: "C-17", n: 1, all: null })],
    ["the user", subject({ id: "C-17", n: 1 }, { principal: principal("bob") })],
    [
      "the tenant",
      subject(
        { id: "C-17", n: 1 },
        { principal: { ...principal("alice"), ...principal("alice", { tenant: "other" }) } },
      ),
    ],
    ["the server", subject({ id: "C-17", n: 1 }, { server: "crm2" })],
    ["the tool", subject({ id: "C-17", n: 1 }, { name: "wipe2" })],
    ["the kind of action", subject({ id: "C-17", n: 1 }, { actionType: "prompt_get" })],
    ["the pin", subject({ id: "C-17", n: 1 }, { definitionDigest: "sha256:12" })],
    [
      "what else is sent",
      subject({}, { sent: { args: '{"id":"C-17","n":1}', input_responses: "{}" } }),
    ],
    [
      "who may approve",
      subject(
        { id: "C-17", n: 1 },
        { asked: [{ layer: workflow, match: element({ approvers: ["ann"] }) }] },
      ),
    ],
    [
      "the reason",
      subject(
        { id: "C-17", n: 1 },
        { asked: [{ layer: workflow, match: element({ code: "x" }) }] },
      ),
    ],
    [
      "the layer that asks",
      subject(
        { id: "C-17", n: 1 },
        { asked: [{ layer: { ...workflow, name: "w2" }, match: element() }] },
      ),
    ],
  ])("differs with %s", (_, other) => {
    expect(bindingOf(other)).not.toBe(same);
  });

  test("is shown whole, with what was sent beside the arguments", () => {
    expect(shownArguments(subject({ a: 1 }))).toBe('{"a":1}');
    const more = { sent: { args: "{}", input_responses: '{"k":{}}' } };
    expect(shownArguments(subject({}, more))).toBe('{"args":{},"input_responses":{"k":{}}}');
  });
});

describe("how long a request is good for", () => {
  test.each([
    ["what its policy says", 30, 31_000],
    ["what the configuration says, where its policy says nothing", undefined, 61_000],
    ["no more than the configuration lets a policy say", 100_000, 121_000],
  ])("is %s", (_, ttlSeconds, untilMs) => {
    expect(Date.parse(make({ ttlSeconds }).expires_at)).toBe(untilMs);
  });

  test("is the shortest that is asked", () => {
    const asked = [60, 20, 40].map((ttlSeconds) => ({
      layer: workflow,
      match: element({ ttlSeconds, code: `c${ttlSeconds}` }),
    }));
    const approval = makeApproval(subject({}, { asked }), times, id, 1000);
    expect(Date.parse(approval.expires_at)).toBe(21_000);
  });
});

describe("a decision", () => {
  test("counts from somebody whom the policy names, by name or by group", () => {
    const named = make({ approvers: ["ann", "group:leads"] });
    expect(rule(named, ann, 2000).status).toBe("approved");
    expect(rule(named, { ...ann, approver: person("eve", "leads") }, 2000).status).toBe("approved");
    const eve = { ...ann, approver: person("eve") };
    expect(() => rule(named, eve, 2000)).toThrow(/expected one of ann, group:leads, found "eve"/);
    const called = { ...ann, approver: person("group:leads") };
    expect(() => rule(make({ approvers: ["leads"] }), called, 2000)).toThrow(/expected one of/);
  });

  test("of the requester does not count because a group or a list names them", () => {
    const alice = { ...ann, approver: person("alice", "leads") };
    for (const approvers of [[], ["alice"], ["group:leads"]]) {
      expect(() => rule(make({ approvers }), alice, 2000)).toThrow(/other than the requester/);
    }
    expect(rule(make({ approvers: ["self"] }), alice, 2000).status).toBe("approved");
  });

  test("of the requester does not count under their name on this machine", () => {
    const asked = (approvers: readonly string[]) =>
      subject(
        {},
        {
          principal: principal("me", { osUsers: ["carol", "root"] }),
          asked: [{ layer: workflow, match: element({ approvers }) }],
        },
      );
    const carol = { ...ann, approver: person("carol") };
    const makeOf = (approvers: readonly string[]) =>
      makeApproval(asked(approvers), times, id, 1000);
    for (const approvers of [[], ["carol"]]) {
      expect(() => rule(makeOf(approvers), carol, 2000)).toThrow(/other than the requester/);
    }
    const listed = approverOfSystem(carolIs("ceo"), ["carolsudo"]);
    expect(() => rule(makeOf([]), { ...ann, approver: listed }, 2000)).toThrow(/other than/);
    expect(rule(makeOf(["self"]), carol, 2000).status).toBe("approved");
    expect(rule(makeOf([]), ann, 2000).status).toBe("approved");
  });

  test("comes too late for what has run out, was denied, used or withdrawn", () => {
    const approval = make();
    const approved = rule(approval, ann, 2000);
    const used = claim(approved, { uses: 0, decisionId }, 2000);
    const denied = rule(approval, { ...ann, verdict: "deny" }, 2000);
    for (const over of [used, denied, withdraw(approval, 2000)]) {
      expect(() => rule(over ?? approval, ann, 2000)).toThrow(/to wait for a decision/);
    }
    expect(() => rule(approval, ann, 61_000)).toThrow(/found it expired/);
    expect(() => rule(approved, ann, 2000)).toThrow(/found it approved/);
  });

  test("to approve can be taken back until it was used", () => {
    const approved = rule(make(), ann, 2000);
    const denied = rule(approved, { ...ann, verdict: "deny" }, 2000);
    expect(denied.status).toBe("denied");
    expect(claim(denied, { uses: 0, decisionId }, 2000)).toBe(undefined);
  });

  test("through the console is one through the command line or the admin interface", () => {
    const asked = make({ channels: ["console"] });
    expect(rule(asked, ann, 2000).status).toBe("approved");
    expect(rule(asked, { ...ann, channel: "admin" }, 2000).status).toBe("approved");
    const client = { ...ann, channel: "client" } as const;
    expect(() => rule(asked, client, 2000)).toThrow(/accepts console/);
  });
});

describe("an approval", () => {
  test("is used once, and then once for each further exchange of its call", () => {
    const approved = rule(make(), ann, 2000);
    const used = claim(approved, { uses: 0, decisionId }, 2000);
    expect(used).toMatchObject({ status: "used", uses: 1, used_by: decisionId });
    if (used === undefined) throw new Error("expected it to be used");
    expect(claim(used, { uses: 0, decisionId }, 2000)).toBe(undefined);
    const again = claim(used, { uses: 1, decisionId: id }, 2000);
    expect(again).toMatchObject({ uses: 2, used_by: decisionId });
    expect(claim(again ?? used, { uses: 1, decisionId: id }, 2000)).toBe(undefined);
  });

  test("is not used before everybody agreed, nor after its time", () => {
    expect(claim(make(), { uses: 0, decisionId }, 2000)).toBe(undefined);
    const approved = rule(make(), ann, 2000);
    expect(claim(approved, { uses: 0, decisionId }, 61_000)).toBe(undefined);
    expect(statusAt(approved, 61_000)).toBe("expired");
    expect(expire(approved, 61_000)).toMatchObject({ status: "expired" });
    expect(expire(approved, 60_999)).toBe(undefined);
  });

  test("meets what was asked and nothing else", () => {
    const grant = grantOf(rule(make(), ann, 2000), true);
    expect(isMet(grant, workflow, element())).toBe(true);
    expect(isMet(grant, workflow, element({ rule: "workflow.other" }))).toBe(false);
    expect(isMet(grant, { ...workflow, name: "compliance" }, element())).toBe(false);
    expect(isMet(undefined, workflow, element())).toBe(false);
    expect(isMet(grantOf(make(), true), workflow, element())).toBe(false);
  });
});

test("what cannot be seen is written out, and stays the same document", () => {
  const hidden = ["\u202E", "\u200B", "\u2028", "\u0085", "\u00A0", "\u3164", "\uFE0F", "\u2800"];
  const value = { text: `a ${hidden.join("x")} \u{E0041}z`, "\u2066key": "\n\t\u001B[2J" };
  const shown = visibleJson(JSON.stringify(value));
  expect(shown).toMatch(/^[ -~]*$/);
  expect(JSON.parse(shown)).toEqual(value);
  expect(visibleJson('{"name":"Žofie 日本 😀"}')).toBe('{"name":"Žofie 日本 😀"}');
});
