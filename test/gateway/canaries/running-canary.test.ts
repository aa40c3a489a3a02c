import { beforeAll, describe, expect, test } from "vitest";
import { testEngine } from "../../policy/engine/policies.ts";
import { eventually } from "../../support/eventually.ts";
import type { OpenGateway } from "../open-gateway.ts";
import { collect, legacyClient, principal } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";
import { abortMemory, canaryBundle, openCanaries } from "./open-canaries.ts";

const patience = { timeout: 60_000 };
const denies = 'deny contains "too_new" if input.action.tool == "get"';
const silent = 'warn contains "seen"';
/** As few as may be: two of two. */
const quick = { abort: { denied_principals_percent: 20, min_principals: 2, min_evaluations: 20 } };

let policies: TestPolicies;
beforeAll(async () => {
  policies = await compileTestPolicies();
});

type Admission = OpenGateway["admissions"][number];
const asked = ({ layers }: Admission): readonly string[] => layers.map(({ layer }) => layer.name);
const reasonsOf = ({ answer }: Admission): readonly string[] => answer.reasons;

async function namesOf({ gateway }: OpenGateway, user: string) {
  const { items } = await gateway.list(legacyClient({ principal: principal(user) }), "tools");
  return items.map(({ name }) => name);
}

describe("the end of a canary", patience, () => {
  const rules = { kind: "compliance", rego: silent, canary: denies, setting: quick } as const;

  test("comes when it denies too many principals, at once and for all, and is kept", async () => {
    const { aborts, kept } = abortMemory();
    const gateway = await openCanaries(policies, { rules }, { canaryAborts: aborts });
    const { heard, hear } = collect();
    gateway.gateway.listen(legacyClient(), { hear, ask: undefined });
    for (let turn = 0; turn < 30; turn += 1) {
      expect(reasonsOf(await gateway.as("alice"))).toEqual(["too_new"]);
    }
    // The call that is too much is decided without it already.
    expect(reasonsOf(await gateway.as("bob"))).toEqual([]);
    expect(asked(await gateway.as("alice"))).toEqual(["crm", "rules"]);
    await eventually(() => kept.has("rules~canary"));
    expect(kept.get("rules~canary")?.why).toContain("2 of 2 principals");
    expect(heard.map(({ method }) => method)).toContain("notifications/tools/list_changed");
    expect(gateway.log.lines.map(({ message }) => message)).toContain(
      "canary aborted; its layer decides alone",
    );
  });

  test("is known to the next gateway, and over with another bundle", async () => {
    const { aborts, kept } = abortMemory();
    const { digest } = await canaryBundle("rules", "compliance", denies);
    kept.set("rules~canary", { digest, timeMs: 0, why: "before" });
    const gateway = await openCanaries(policies, { rules }, { canaryAborts: aborts });
    expect(reasonsOf(await gateway.as("alice"))).toEqual([]);
    const next = 'deny contains "newer" if input.action.tool == "get"';
    await gateway.put("rules~canary", await canaryBundle("rules", "compliance", next));
    expect(reasonsOf(await gateway.as("alice"))).toEqual(["newer"]);
  });

  test("that another gateway decided, or somebody took back, is seen while it runs", async () => {
    const { aborts, kept } = abortMemory();
    const gateway = await openCanaries(policies, { rules }, { canaryAborts: aborts });
    expect(reasonsOf(await gateway.as("alice"))).toEqual(["too_new"]);
    const { digest } = await canaryBundle("rules", "compliance", denies);
    kept.set("rules~canary", { digest, timeMs: 0, why: "elsewhere" });
    await eventually(async () => reasonsOf(await gateway.as("alice")).length === 0);
    kept.clear();
    await eventually(async () => reasonsOf(await gateway.as("alice")).length === 1);
  });

  test("that cannot be kept holds here, and is kept when that can be", async () => {
    const { aborts, kept, failing } = abortMemory();
    const gateway = await openCanaries(policies, { rules }, { canaryAborts: aborts });
    failing.isFailing = true;
    await gateway.as("alice");
    await gateway.as("bob");
    expect(reasonsOf(await gateway.as("alice"))).toEqual([]);
    failing.isFailing = false;
    await eventually(() => kept.has("rules~canary"));
    expect(reasonsOf(await gateway.as("alice"))).toEqual([]);
  });

  test("leaves one that nobody can tell about out of it", async () => {
    const { aborts, failing } = abortMemory();
    failing.isFailing = true;
    const gateway = await openCanaries(policies, { rules }, { canaryAborts: aborts });
    expect(reasonsOf(await gateway.as("alice"))).toEqual([]);
    failing.isFailing = false;
    await eventually(async () => reasonsOf(await gateway.as("alice")).length === 1);
  });

  test("comes when it hides what others show, though nobody calls", async () => {
    const canary = 'hide contains "h" if input.action.tool == "put"';
    const { aborts, kept } = abortMemory();
    const gateway = await openCanaries(
      policies,
      { rules: { ...rules, canary } },
      { canaryAborts: aborts },
    );
    expect(await namesOf(gateway, "alice")).toEqual(["crm__get"]);
    await namesOf(gateway, "bob");
    await eventually(() => kept.size === 1);
    expect(await namesOf(gateway, "alice")).toEqual(["crm__get", "crm__put"]);
  });

  test("does not come for what the layers deny anyway", async () => {
    const { aborts, kept } = abortMemory();
    const gateway = await openCanaries(
      policies,
      { rules: { ...rules, rego: denies } },
      { canaryAborts: aborts },
    );
    for (const user of ["alice", "bob", "carol", "dave"]) await gateway.as(user);
    expect(asked(await gateway.as("alice"))).toContain("rules~canary");
    expect(kept.size).toBe(0);
  });

  test("comes when it runs past the deadline, which is told from a layer that does", async () => {
    // Nothing is made on the way, so that memory does not end it before the deadline does.
    const loops = `ups := numbers.range(1, 20000)

deny contains "slow" if {
	input.action.tool == "put"
	some x in ups
	some y in ups
	x == y
	x < 0
}`;
    const { aborts, kept } = abortMemory();
    const engine = testEngine({ deadlineMs: 1500 });
    const setting = { abort: { ...quick.abort, denied_principals_percent: 20 } };
    const gateway = await openCanaries(
      policies,
      {
        rules: { kind: "compliance", rego: silent, canary: loops, setting },
        other: { kind: "compliance", rego: silent, canary: silent, setting },
      },
      { canaryAborts: aborts, engine },
    );
    expect(reasonsOf(await gateway.as("alice", "crm__put"))).toContain("policy_timeout");
    expect(reasonsOf(await gateway.as("bob", "crm__put"))).toEqual([]);
    await eventually(() => kept.size > 0);
    expect([...kept.keys()]).toEqual(["rules~canary"]);
    expect(asked(await gateway.as("alice", "crm__put"))).toContain("other~canary");
  });
});
