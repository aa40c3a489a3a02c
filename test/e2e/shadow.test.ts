/**
 * A shadow in a running gateway: what it would have decided is on record, beside calls that feel
 * nothing of it, whatever it does; and it is replaced and taken back live, as any bundle.
 */
import { cpSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import type { RawClient } from "../support/raw-client.ts";
import { startRawClient } from "../support/raw-client.ts";

const strict = `${allowAll.rego}

deny contains "too_late" if input.action.tool == "echo"`;
const endless = `${allowAll.rego}

ups := numbers.range(1, 30000)

downs := numbers.range(-30000, -1)

deny contains "never" if {
	input.action.tool == "echo"
	some up in ups
	some down in downs
	up == down
}`;

/** A gateway whose one server has a shadow; the layout of its policy may be replaced. */
async function startShadowed(rego: string) {
  const env = freshEnvironment();
  const [layout, beside] = [
    await buildLayout({ crm: allowAll }),
    await buildLayout({ crm: { rego } }),
  ];
  const shadow = { bundle: `oci-layout:${beside}:crm`, poll: "1s" };
  const policy = `oci-layout:${layout}:crm`;
  const settings = { policy: { deadline_ms: 5000 } };
  const config = writeFixtureConfig({ crm: { policy, settings: { shadow } } }, settings);
  const client = await startRawClient(serveCommand(config, env));
  onTestFinished(async () => void (await client.end()));
  const command = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runBin([...args, "-o", "json"], env);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  };
  const read = async (...args: readonly string[]) => await command(...args, "--config", config);
  return {
    client,
    read,
    standing: async () => (await command("status")).items[0]?.shadows[0],
    differences: async () => (await read("decision", "list", "--kind", "shadow")).items,
    replace: async (next: string) => {
      cpSync(await buildLayout({ crm: { rego: next } }), beside, { recursive: true });
    },
  };
}

async function echo(client: RawClient): Promise<unknown> {
  const { result } = await client.call("crm__echo", { secret: "a word for nobody" });
  return Object(result).content;
}

const echoed = [{ type: "text", text: '{"secret":"a word for nobody"}' }];

test("what a shadow would deny is on record, and calls go on, also where it never ends", async () => {
  const { client, read, standing, differences, replace } = await startShadowed(strict);
  await eventually(async () => typeof (await standing())?.digest === "string", 60_000);
  expect(await echo(client)).toEqual(echoed);
  let found: Awaited<ReturnType<typeof differences>> = [];
  await eventually(async () => (found = await differences()).length > 0, 60_000);
  const [first] = found;
  const [decision] = (await read("decision", "list")).items;
  expect(first).toMatchObject({
    for_decision_id: decision.decision_id,
    layer: "crm",
    difference: "newly_denied",
    was: { effect: "allow" },
    would: { effect: "deny", reasons: ["too_late"] },
  });
  expect(decision).toMatchObject({ effect: "allow", outcome: "completed" });
  expect(JSON.stringify(first)).not.toContain("a word for nobody");

  await replace(endless);
  await eventually(async () => (await standing())?.digest !== first.digest, 60_000);
  expect(await Promise.all([echo(client), echo(client)])).toEqual([echoed, echoed]);
  await eventually(async () => (found = await differences()).length > 1, 60_000);
  expect(found[0]).toMatchObject({ difference: "error", code: "policy_timeout" });

  const rollback = ["bundle", "rollback", "crm~shadow", "--why", "it never ends"];
  expect(await read(...rollback)).toMatchObject({ name: "crm~shadow", digest: first.digest });
  await eventually(async () => (await standing())?.digest === first.digest, 60_000);
  expect((await read("bundle", "list")).items).toMatchObject([
    { name: "crm", role: "policy", beside: null, state: "active" },
    { name: "crm~shadow", role: "shadow", beside: "crm", state: "held" },
  ]);
  expect(await client.end()).toBe(0);
}, 300_000);

test("a shadow that is not there denies nothing", async () => {
  const env = freshEnvironment();
  const policy = `oci-layout:${await buildLayout({ crm: allowAll })}:crm`;
  const settings = { shadow: "oci-layout:not-there:crm" };
  const patience = { policy: { deadline_ms: 20_000 } };
  const config = writeFixtureConfig({ crm: { policy, settings } }, patience);
  const client = await startRawClient(serveCommand(config, env));
  expect(await echo(client)).toEqual(echoed);
  const { stdout } = await runBin(["status", "-o", "json"], env);
  expect(JSON.parse(stdout).items).toMatchObject([{ state: "ready" }]);
  expect(await client.end()).toBe(0);
}, 120_000);
