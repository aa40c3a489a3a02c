/**
 * What a replay sees of the record, and what it says of decisions that it cannot ask about again.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { Bundle } from "../../src/contract/bundle.ts";
import type { AskedLayer, Call } from "./recorded-world.ts";
import { compileAll, decideAll, linesOf, replayTexts, textOf } from "./recorded-world.ts";

const grant = 'allow contains "anything"';
const policies = {
  crm: { kind: "server", rego: grant },
  random: {
    kind: "server",
    rego: `${grant}\n\nwarn contains sprintf("%d %d", [time.now_ns(), rand.intn("die", 1000000)])\n\ndeny contains "seven" if rand.intn("die", 1000000) == 7`,
  },
  counted: { kind: "server", rego: `${grant} if input.usage.calls.used < 5` },
  own: {
    kind: "server",
    rego: `${grant} if {\n  input.context.data_classes_seen == ["a"]\n  input.context.servers_called == ["crm"]\n}`,
  },
  exact: { kind: "server", rego: `${grant} if input.action.args.n == 12345678901234567890` },
  classes: { kind: "server", rego: `${grant}\n\ndata_classes contains "secret"` },
  hides: { kind: "server", rego: `${grant}\n\nhide contains "x" if input.action.tool == "drop"` },
  obliges: {
    kind: "server",
    rego: `${grant}\n\nobligations contains {"id": "short", "type": "truncate", "properties": {"max_bytes": 10}}`,
  },
  endless: {
    kind: "server",
    rego: `ups := numbers.range(1, 30000)

downs := numbers.range(-30000, -1)

${grant} if input.action.tool != "loop"

${grant} if {
  input.action.tool == "loop"
  some up in ups
  some down in downs
  up == down
}`,
  },
  fails: { kind: "server", rego: `${grant}\n\nlabels contains 5 if input.action.tool == "drop"` },
  compliance: { kind: "compliance", rego: 'deny contains "late" if input.action.tool == "drop"' },
  free: { kind: "compliance", rego: 'warn contains "nothing"' },
} as const;

let bundles: ReadonlyMap<string, Bundle> = new Map();

function bundle(name: keyof typeof policies): Bundle {
  const found = bundles.get(name);
  if (found === undefined) throw new Error(`no bundle ${name}`);
  return found;
}

const served = (name: keyof typeof policies): AskedLayer => ({
  name: "crm",
  kind: "server",
  bundle: bundle(name),
});
const compliance = (): AskedLayer => ({
  name: "compliance",
  kind: "compliance",
  bundle: bundle("compliance"),
});

async function recordsOf(layers: readonly AskedLayer[], ...calls: readonly Call[]) {
  return (await decideAll(layers, calls)).map(textOf);
}

const replayOf = async (
  candidate: keyof typeof policies,
  texts: readonly (string | null)[],
  more: Partial<Parameters<typeof replayTexts>[0]> = {},
) => await replayTexts({ layer: "crm", candidate: bundle(candidate), texts, ...more });

beforeAll(async () => {
  bundles = await compileAll(policies);
}, 180_000);

describe("a replay sees", { timeout: 120_000 }, () => {
  test("time and chance as they were", async () => {
    const timeMs = Date.parse("2020-02-03T04:05:06.789Z");
    const texts = await recordsOf([served("random")], { tool: "a", timeMs }, { tool: "b" });
    // What chance answered is in the record, and the same without it, from the decision's id.
    const without = texts.map((text) => text.replace(/"nd_builtin_cache":\{.*?\}\},/, ""));
    expect(without).not.toEqual(texts);
    expect(await replayOf("random", [...texts, ...without])).toMatchObject({ unchanged: 4 });
    const other = texts.map((text) => text.replace(/("\[[^{}]*?die[^{}]*?\]":)\d+/, "$1 7"));
    expect(linesOf(await replayOf("random", other))).toEqual([
      "newly_denied test.server.deny seven 2",
    ]);
  });

  test("the counters of its own layer", async () => {
    const usage = (used: number) => ({
      crm: `{"calls":{"used":${used}}}`,
      other: '{"calls":{"used":9}}',
    });
    const texts = await recordsOf(
      [served("crm")],
      { tool: "a", usage: usage(4) },
      { tool: "a", usage: usage(5) },
    );
    const report = await replayOf("counted", texts);
    expect(linesOf(report)).toEqual(["newly_denied gateway.no_rule_allows no_rule_allows 1"]);
    expect(report.unchanged).toBe(1);
  });

  test("of the conversation what its own server has seen", async () => {
    const seen = { a: ["crm", "mail"], b: ["mail"] };
    const texts = await recordsOf([served("own")], { tool: "a", seen });
    expect(await replayOf("own", texts)).toMatchObject({ decisions: 1, unchanged: 1 });
    expect(texts[0]).toContain('"effect":"allow"');
  });

  test("numbers digit for digit", async () => {
    const [text = ""] = await recordsOf([served("crm")], { tool: "a", args: { n: 1 } });
    const exact = text.replace('"args":{"n":1}', '"args":{"n":12345678901234567890}');
    const near = text.replace('"args":{"n":1}', '"args":{"n":12345678901234567891}');
    expect(linesOf(await replayOf("exact", [exact]))).toEqual([]);
    expect(await replayOf("exact", [near])).toMatchObject({ buckets: { newly_denied: 1 } });
  });
});

describe("a replay says of a candidate", { timeout: 120_000 }, () => {
  test("that it lets through what another layer refused alone", async () => {
    const texts = await recordsOf([served("crm"), compliance()], { tool: "drop" }, { tool: "a" });
    const report = await replayOf("free", texts, { layer: "compliance" });
    expect(linesOf(report)).toEqual(["newly_allowed test.compliance.deny late 1"]);
  });

  test("that it refuses, hides, obliges or fails", async () => {
    const texts = await recordsOf([served("crm")], { tool: "drop" }, { tool: "a" });
    expect(linesOf(await replayOf("hides", texts))).toEqual([
      "newly_denied test.server.hide tool_hidden 1",
    ]);
    expect(linesOf(await replayOf("obliges", texts))).toEqual(["obligations_only   2"]);
    expect(linesOf(await replayOf("fails", texts))).toEqual(["error  policy_error 1"]);
    expect(linesOf(await replayOf("classes", texts))).toEqual(["labels_only   2"]);
    const classified = await recordsOf([served("classes")], { tool: "a" });
    expect(linesOf(await replayOf("crm", classified))).toEqual(["labels_only   1"]);
    expect(await replayOf("classes", classified)).toMatchObject({ unchanged: 1, groups: [] });
  });

  test("that it never comes to an end, and goes on with the others", async () => {
    const texts = await recordsOf([served("crm")], { tool: "a" }, { tool: "loop" }, { tool: "b" });
    const report = await replayOf("endless", texts, { deadlineMs: 20 });
    expect(linesOf(report)).toEqual(["error  policy_timeout 1"]);
    expect(report).toMatchObject({ decisions: 3, unchanged: 2 });
  });

  test("nothing of what the gateway itself refuses whatever it says", async () => {
    const texts = await recordsOf([served("crm"), compliance()], {
      tool: "a",
      refusedWith: "arguments_invalid",
    });
    expect(await replayOf("obliges", texts)).toMatchObject({ unchanged: 1, groups: [] });
    expect(linesOf(await replayOf("exact", texts))).toEqual([
      "reason_only gateway.no_rule_allows no_rule_allows 1",
    ]);
  });
});

describe("a replay cannot say", { timeout: 120_000 }, () => {
  test("anything of what is pruned, broken or was refused before policy", async () => {
    const [text = ""] = await recordsOf([served("crm")], { tool: "a" });
    const unasked = text.replace(/"layers":\[.*?\],"waivers"/, '"layers":[],"waivers"');
    const report = await replayOf("crm", [null, text.slice(0, -20), unasked, text]);
    expect(linesOf(report).toSorted()).toEqual([
      "not_replayable  pruned 1",
      "not_replayable  refused_before_policy 1",
      "not_replayable  unreadable 1",
    ]);
    expect(report).toMatchObject({ decisions: 4, replayed: 1, replayed_share: 0.25 });
  });

  test("what layers would say of other classes", async () => {
    const texts = await recordsOf([served("crm"), compliance()], { tool: "a" });
    expect(linesOf(await replayOf("classes", texts))).toEqual(["not_replayable  other_classes 1"]);
  });

  test("anything of a layer that was not asked", async () => {
    const texts = await recordsOf([served("crm")], { tool: "a" });
    const report = await replayOf("free", texts, { layer: "compliance" });
    expect(linesOf(report)).toEqual(["not_replayable  other_layers 1"]);
  });

  test("anything of an answer that the layers did not come to", async () => {
    const [text = ""] = await recordsOf([served("crm")], { tool: "a" });
    const other = text.replace('"reasons":[]', '"reasons":["somebody_else"]');
    expect(linesOf(await replayOf("exact", [other]))).toEqual([
      "not_replayable  other_configuration 1",
    ]);
  });

  test("anything of a masked input, unless the bundle that decided says the same of it", async () => {
    const [text = ""] = await recordsOf([served("crm")], { tool: "a" });
    const masked = text.replace(
      '"result":{"allow"',
      '"masked":["/input/action/args/n"],"result":{"allow"',
    );
    expect(linesOf(await replayOf("counted", [masked]))).toEqual(["not_replayable  masked 1"]);
    const baselines = [bundle("crm")];
    expect(linesOf(await replayOf("counted", [masked], { baselines }))).toEqual([
      "newly_denied gateway.no_rule_allows no_rule_allows 1",
    ]);
    // Another bundle than the one that decided vouches for nothing.
    const others = [{ ...bundle("exact"), digest: bundle("crm").digest }];
    expect(linesOf(await replayOf("counted", [masked], { baselines: others }))).toEqual([
      "not_replayable  masked 1",
    ]);
  });
});
