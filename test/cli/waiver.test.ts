/**
 * `waiver list` on what a real gateway has done and has active.
 */
import { cpSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startRawClient } from "../support/raw-client.ts";

const compliance = `# METADATA
# custom: {id: compliance.weekend, overridable: true}
deny contains {"rule": rego.metadata.rule()} if input.action.tool == "echo"`;

const waive = (part: object, condition = "") =>
  `waive contains ${JSON.stringify({
    bundle: "compliance",
    rule: "compliance.weekend",
    justification: "on call",
    expires: "2999-01-01T00:00:00Z",
    ticket: "T-1",
    ...part,
  })}${condition}`;

const overrides = [
  waive({}),
  waive({ rule: "compliance.idle", ticket: "T-2" }),
  waive({ rule: "compliance.met", ticket: "T-3" }, ' if input.action.tool == "numbers"'),
  waive({ rule: "compliance.old", expires: "2020-01-01T00:00:00Z" }),
  waive({ rule: "compliance.broken", expires: "soon" }),
].join("\n\n");

let layout = "";

beforeAll(async () => {
  layout = await buildLayout({
    ok: allowAll,
    compliance: { layer: "compliance", rego: compliance },
    overrides: { layer: "overrides", rego: overrides },
  });
});

const policy = (name: string) => `oci-layout:${layout}:${name}`;
function open() {
  const layers = ["compliance", "overrides"].map((kind) => {
    return { name: kind, kind, policy: policy(kind) };
  });
  const env = freshEnvironment();
  const config = writeFixtureConfig({ ok: { policy: policy("ok") } }, { layers });
  const list = async (...options: string[]) => {
    const { stdout, code } = await runBin(["waiver", "list", "-c", config, ...options], env);
    return { stdout, code };
  };
  return { env, config, list };
}

test("waiver list shows each waiver with its end, its use and its last use", async () => {
  const { env, config, list } = open();
  const client = await startRawClient(serveCommand(config, env));
  for (const tool of ["echo", "echo", "numbers"]) await client.call(`ok__${tool}`);
  await client.end();

  const { stdout } = await list("-o", "json");
  const { items } = JSON.parse(stdout);
  const shown = items.map((item: Record<string, unknown>) => [
    item["rule"],
    item["state"],
    item["uses"],
    item["is_stated"],
  ]);
  expect(shown).toEqual([
    ["compliance.broken", "void", 0, true],
    ["compliance.idle", "in_force", 0, true],
    ["compliance.met", "in_force", 0, false],
    ["compliance.old", "expired", 0, true],
    ["compliance.weekend", "in_force", 2, true],
  ]);
  expect(items[4]).toMatchObject({ layer: "overrides", ticket: "T-1", justification: "on call" });
  expect(Date.parse(items[4].last_used)).toBeGreaterThan(Date.now() - 600_000);
  expect(items[1].last_used).toBeNull();
  expect(items[0].problem).toContain("expires: expected a moment");

  const table = (await list()).stdout;
  expect(table).toMatch(/compliance\.weekend +in_force +2999-01-01T00:00:00Z +2 +\d{4}-/);
  const { stdout: later } = await list("--since", "2999-01-01T00:00:00Z", "-o", "json");
  expect(JSON.parse(later).items).toHaveLength(4);
}, 120_000);

test("a waiver that its bundle states no more is a former one, and so is one of a layer that left", async () => {
  const own = await buildLayout({
    ok: allowAll,
    compliance: { layer: "compliance", rego: compliance },
    overrides: { layer: "overrides", rego: overrides },
  });
  const changed = await buildLayout({
    ok: allowAll,
    compliance: { layer: "compliance", rego: compliance },
    overrides: { layer: "overrides", rego: waive({ ticket: "T-9" }) },
  });
  const at = (name: string) => `oci-layout:${own}:${name}`;
  const layer = (kind: string) => ({ name: kind, kind, policy: at(kind) });
  const layers = ["compliance", "overrides"].map(layer);
  const env = freshEnvironment();
  const config = writeFixtureConfig({ ok: { policy: at("ok") } }, { layers });
  const callOnce = async (path: string) => {
    const client = await startRawClient(serveCommand(path, env));
    await client.call("ok__echo");
    await client.end();
  };
  const states = async (path: string) => {
    const { stdout } = await runBin(["waiver", "list", "-c", path, "-o", "json"], env);
    return JSON.parse(stdout).items.map((item: Record<string, unknown>) => [
      item["ticket"],
      item["state"],
    ]);
  };
  await callOnce(config);
  expect(await states(config)).toContainEqual(["T-1", "in_force"]);
  cpSync(changed, own, { recursive: true });
  await callOnce(config);
  const after = await states(config);
  expect(after).toContainEqual(["T-9", "in_force"]);
  expect(after).toContainEqual(["T-1", "former"]);
  expect(after).toContainEqual(["T-2", "former"]);
  const without = writeFixtureConfig(
    { ok: { policy: at("ok") } },
    { layers: [layer("compliance")] },
  );
  expect(await states(without)).toContainEqual(["T-9", "former"]);
}, 240_000);

test("waiver list is empty where no gateway has run, and refuses a time that is none", async () => {
  const { list } = open();
  expect(JSON.parse((await list("-o", "json")).stdout)).toEqual({ items: [] });
  expect((await list("--since", "whenever")).code).not.toBe(0);
}, 120_000);
