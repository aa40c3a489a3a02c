/**
 * Canaries in the real bin: whom they are asked about, what they refuse, and their end, which outlives
 * the process and is over with the next bundle.
 */
import { createHash } from "node:crypto";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { modernPost } from "./bypasses/clients.ts";
import type { HttpGateway } from "./bypasses/http-gateway.ts";
import { startHttpGateway, tokenOf } from "./bypasses/http-gateway.ts";

const users = Array.from({ length: 16 }, (_, at) => `user-${at}`);
const refuse = (code: string): string => `deny contains "${code}" if input.action.tool == "echo"`;
const stateKey = "a key that the gateways of a fleet share";

/** Puts a bundle into the layout of a canary, in the place of the one that is there. */
async function push(layout: string, rego: string): Promise<string> {
  const built = await buildLayout({ rules: { layer: "compliance", rego } });
  cpSync(built, layout, { recursive: true });
  const { manifests } = JSON.parse(readFileSync(join(built, "index.json"), "utf8"));
  return manifests[0].digest;
}

/** A configuration with layer `rules` and a canary beside it, whose source is asked every second. */
async function open(canary: string, setting: object) {
  const layout = await buildLayout({
    ok: allowAll,
    rules: { layer: "compliance", rego: 'deny contains "old" if input.action.tool == "slow"' },
  });
  const beside = join(temporaryFolder(), "layout");
  const digest = await push(beside, canary);
  const tokens = users.map((user) => ({
    sha256: createHash("sha256").update(tokenOf(user)).digest("hex"),
    agent: { id: "agent", scope: "test" },
    user: { id: user },
  }));
  const source = { bundle: `oci-layout:${beside}:rules`, require: "none", poll: "1s" };
  const policy = `oci-layout:${layout}:rules`;
  const rules = { name: "rules", kind: "compliance", policy };
  const config = writeFixtureConfig(
    { ok: { policy: `oci-layout:${layout}:ok` } },
    {
      state_key: stateKey,
      http: { authorization: { tokens } },
      layers: [{ ...rules, canary: { policy: source, ...setting } }],
    },
  );
  return { config, beside, digest };
}

async function serve(config: string, env: Record<string, string>): Promise<HttpGateway> {
  const gateway = await startHttpGateway({ config, env });
  onTestFinished(gateway.close);
  return gateway;
}

/** Codes that refused a call; none where it was allowed. */
async function reasonsOf(gateway: HttpGateway, user: string): Promise<readonly string[]> {
  const call = { name: "ok__echo", arguments: {} };
  const { messages, text } = await gateway.post(modernPost(user, "tools/call", call));
  const [result] = messages.map((message) => Object(message["result"]));
  if (result?.content === undefined) throw new Error(`expected a result, found ${text}`);
  return Object(result._meta)["io.mcp-gateway/decision"]?.reasons ?? [];
}

async function refusedIn(gateway: HttpGateway): Promise<readonly string[]> {
  const refused: string[] = [];
  for (const user of users) {
    if ((await reasonsOf(gateway, user)).includes("new")) refused.push(user);
  }
  return refused;
}

async function isTold(gateway: HttpGateway, code: string): Promise<boolean> {
  return (await reasonsOf(gateway, "user-0"))[0] === code;
}

test("two gateways with one key ask about the same principals, and about some of them", async () => {
  const abort = { denied_principals_percent: 100 };
  const { config, digest } = await open(refuse("new"), { percent: 50, abort });
  const environments = [freshEnvironment(), freshEnvironment()];
  const found: (readonly string[])[] = [];
  for (const env of environments) {
    const gateway = await serve(config, env);
    let refused: readonly string[] = [];
    await eventually(async () => {
      refused = await refusedIn(gateway);
      return refused.length > 0;
    }, 60_000);
    found.push(await refusedIn(gateway));
    await gateway.close();
  }
  expect(found[0]).toEqual(found[1]);
  expect(found[0]?.length).toBeGreaterThan(0);
  expect(found[0]?.length).toBeLessThan(users.length);

  const [env = {}] = environments;
  const args = ["decision", "list", "--config", config, "-o", "json"];
  const { items } = JSON.parse((await runBin(args, env)).stdout);
  const denied = items.find(({ reasons }: { reasons: readonly string[] }) =>
    reasons.includes("new"),
  );
  const id: string = Object(denied).decision_id;
  const got = await runBin(["decision", "get", id, "--config", config, "-o", "json"], env);
  const { admission } = JSON.parse(got.stdout);
  expect(admission.bundles["rules~canary"]).toMatchObject({ digest });
  expect(admission.bundles.rules.digest).not.toBe(digest);
}, 300_000);

test("errors end it; a restart keeps it out, resumption and the next bundle bring it back", async () => {
  const abort = { denied_principals_percent: 100, min_principals: 2, min_evaluations: 20 };
  const failing = 'deny contains 42 if input.action.tool == "echo"';
  const { config, beside, digest } = await open(failing, { percent: 100, abort });
  const env = freshEnvironment();
  const canaryOf = async () => {
    const { stdout } = await runBin(["bundle", "list", "--config", config, "-o", "json"], env);
    const { items }: { items: readonly object[] } = JSON.parse(stdout);
    return items.find((item) => Object(item).name === "rules~canary");
  };
  const first = await serve(config, env);
  await eventually(async () => await isTold(first, "policy_error"), 60_000);
  // One principal alone does not end it, however often it fails.
  for (let turn = 0; turn < 21; turn += 1) {
    expect(await reasonsOf(first, "user-0")).toEqual(["policy_error"]);
  }
  await reasonsOf(first, "user-1");
  expect(await reasonsOf(first, "user-0")).toEqual([]);
  expect(await reasonsOf(first, "user-2")).toEqual([]);
  await eventually(async () => Object(await canaryOf()).state === "aborted", 60_000);
  expect(await canaryOf()).toMatchObject({
    role: "canary",
    code: "canary_aborted",
    active: { digest },
  });
  expect(first.stderr()).toContain("canary aborted; its layer decides alone");
  await first.close();
  const records = ["decision", "list", "--config", config, "--kind", "activation", "-o", "json"];
  const { stdout } = await runBin(records, env);
  const { items } = JSON.parse(stdout);
  expect(items.filter(({ code }: { code: unknown }) => code === "canary_aborted")).toEqual([
    expect.objectContaining({ layer: "rules~canary", event: "withdrawn", by: "gateway" }),
  ]);

  const second = await serve(config, env);
  for (const user of users.slice(0, 3)) expect(await reasonsOf(second, user)).toEqual([]);
  const resume = ["bundle", "resume", "rules~canary", "--why", "tried again", "--config", config];
  expect((await runBin(resume, env)).code).toBe(0);
  await eventually(async () => await isTold(second, "policy_error"), 60_000);

  await push(beside, refuse("newer"));
  await eventually(async () => await isTold(second, "newer"), 60_000);
  expect(await canaryOf()).toMatchObject({ state: "active" });
}, 300_000);
