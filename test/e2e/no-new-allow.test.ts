/**
 * `activation: "no_new_allow"` in the real bin: a new policy is replayed over what this gateway has
 * recorded, and is active by itself only where it opens nothing.
 */
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { giveEmbeddedDatabase } from "../support/embedded-database.ts";
import { eventually } from "../support/eventually.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { buildLayout } from "../support/policy-layout.ts";
import type { RawClient } from "../support/raw-client.ts";
import { startRawClient } from "../support/raw-client.ts";

const strict = 'allow contains "numbers" if input.action.tool == "numbers"';
const opened = 'allow contains "both" if input.action.tool in {"numbers", "echo"}';
const stricter = `${strict}\n\ndeny contains "too_big" if input.action.args.n > 100`;

/** A gateway with the strict policy, whose source is asked every second. */
async function open() {
  const layout = await buildLayout({ ok: { rego: strict } });
  const bundle = `oci-layout:${layout}:ok`;
  const policy = { bundle, require: "none", poll: "1s", activation: "no_new_allow" };
  const config = writeFixtureConfig({ ok: { policy } });
  const env = freshEnvironment();
  const stateDir = env["MCP_GATEWAY_STATE"] ?? "";
  await giveEmbeddedDatabase(stateDir);
  const serve = async (): Promise<RawClient> => {
    const client = await startRawClient(serveCommand(config, env));
    onTestFinished(async () => void (await client.end()));
    return client;
  };
  const client = await serve();
  const first = digestIn(layout);
  /** Puts a policy into the place of the one that is there. */
  const push = async (rego: string): Promise<string> => {
    const built = await buildLayout({ ok: { rego } });
    cpSync(built, layout, { recursive: true });
    return digestIn(built);
  };
  const run = async (...args: readonly string[]): Promise<string> => {
    const done = await runBin([...args, "--config", config], env);
    expect(done.code, done.stderr).toBe(0);
    return done.stdout;
  };
  const standing = async () => {
    const { items } = JSON.parse(await run("bundle", "list", "-o", "json"));
    return Object(items[0]);
  };
  const candidateOf = async () => Object((await standing()).candidate);
  return { serve, client, stateDir, first, push, run, standing, candidateOf };
}

/** Archives of bundles that are being looked at. */
function vettedIn(stateDir: string): readonly string[] {
  return readdirSync(stateDir).filter((name) => name.startsWith("vetted-"));
}

function digestIn(layout: string): string {
  return JSON.parse(readFileSync(join(layout, "index.json"), "utf8")).manifests[0].digest;
}

/** Codes that refused a call; none where it was allowed. */
async function reasonsOf(client: RawClient, tool: string, args = {}): Promise<readonly string[]> {
  const { result } = await client.call(`ok__${tool}`, args);
  expect(Object(result).content).toBeDefined();
  return Object(Object(result)._meta)["io.mcp-gateway/decision"]?.reasons ?? [];
}

test("what newly allows a recorded call waits with the reason, until a person lets it in", async () => {
  const { client, stateDir, first, push, run, standing, candidateOf } = await open();
  expect(await reasonsOf(client, "numbers", { n: 1 })).toEqual([]);
  for (let turn = 0; turn < 2; turn += 1) {
    expect(await reasonsOf(client, "echo")).toEqual(["no_rule_allows"]);
  }
  const second = await push(opened);
  await eventually(async () => (await candidateOf()).digest === second, 120_000);
  const { active, candidate } = await standing();
  expect(active).toMatchObject({ digest: first });
  expect(candidate).toMatchObject({ state: "waiting", code: "newly_allows" });
  expect(candidate.message).toMatch(
    /^of 3 recorded decisions it newly allows 2 of ok\/echo \(such as [0-9a-f-]{36}\)$/,
  );
  expect(await reasonsOf(client, "echo")).toEqual(["no_rule_allows"]);
  expect(vettedIn(stateDir)).toEqual([]);

  await run("bundle", "activate", "ok", "--why", "echo is harmless");
  await eventually(async () => (await reasonsOf(client, "echo")).length === 0, 60_000);
  expect((await standing()).active).toMatchObject({ digest: second });
}, 300_000);

test("what only refuses more is active by itself", async () => {
  const { client, push, standing } = await open();
  expect(await reasonsOf(client, "numbers", { n: 1 })).toEqual([]);
  expect(await reasonsOf(client, "numbers", { n: 500 })).toEqual([]);
  expect(await reasonsOf(client, "echo")).toEqual(["no_rule_allows"]);
  const second = await push(stricter);
  await eventually(
    async () => (await reasonsOf(client, "numbers", { n: 500 }))[0] === "too_big",
    120_000,
  );
  expect(await reasonsOf(client, "numbers", { n: 1 })).toEqual([]);
  const { active, candidate, state } = await standing();
  expect({ active, candidate, state }).toMatchObject({
    active: { digest: second, by: "gateway" },
    candidate: null,
    state: "active",
  });
}, 300_000);

test("where nothing is recorded even what refuses more waits, and the first did not", async () => {
  const { client, first, push, standing, candidateOf } = await open();
  const isFirstActive = async () => (await standing()).active?.digest === first;
  await eventually(isFirstActive, 60_000);
  const second = await push(stricter);
  await eventually(async () => (await candidateOf()).digest === second, 120_000);
  expect(await candidateOf()).toMatchObject({ state: "waiting", code: "history_not_replayed" });
  expect(await reasonsOf(client, "numbers", { n: 500 })).toEqual([]);
}, 300_000);

test("a gateway that ends meanwhile leaves nothing behind, and the next one looks again", async () => {
  const { serve, client, stateDir, first, push, standing, candidateOf } = await open();
  expect(await reasonsOf(client, "echo")).toEqual(["no_rule_allows"]);
  const second = await push(opened);
  await eventually(() => vettedIn(stateDir).length === 1, 60_000);
  expect(await client.end()).toBe(0);
  expect(vettedIn(stateDir)).toEqual([]);
  expect(await standing()).toMatchObject({ active: { digest: first }, candidate: null });

  const next = await serve();
  await eventually(async () => (await candidateOf()).digest === second, 120_000);
  expect(await candidateOf()).toMatchObject({ state: "waiting", code: "newly_allows" });
  expect(await reasonsOf(next, "echo")).toEqual(["no_rule_allows"]);
}, 300_000);
