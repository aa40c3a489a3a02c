/**
 * A bundle's life in one running gateway, with a real registry: pushed, live within its poll, taken
 * back from this machine alone while the registry is away, and given back to its source.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startTcpProxy } from "../decision/tcp-proxy.ts";
import { isInstalled, startDockerRegistry } from "../support/docker-registry.ts";
import { eventually } from "../support/eventually.ts";
import { startFakeRegistry } from "../support/fake-registry.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";
import type { RawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const grant = 'allow contains "anything" if input.action.type == "tool_call"';
const refuse = 'allow contains "nothing" if input.action.type == "none"';

/** A real registry where there is one, behind a wire that can be cut. */
async function startRegistry() {
  const registry = isInstalled("docker-registry")
    ? await startDockerRegistry(temporaryFolder())
    : await startFakeRegistry();
  onTestFinished(registry.close);
  const proxy = await startTcpProxy(`http://${registry.host}`);
  onTestFinished(proxy.close);
  return { ...proxy, host: new URL(proxy.url).host };
}

/** Pushes a policy of this revision; returns its digest. */
async function push(
  reference: string,
  revision: string,
  rego: string,
  env: Record<string, string>,
): Promise<string> {
  const folder = join(temporaryFolder(), revision);
  await mkdir(folder);
  const metadata = { name: "crm", layer: "server", policy_package: "mcp.crm" };
  const manifest = JSON.stringify({ revision, roots: ["mcp/crm"], metadata });
  await writeFile(join(folder, ".manifest"), manifest);
  await writeFile(join(folder, "policy.rego"), `package mcp.crm\n\n${rego}\n`);
  const { code, stdout, stderr } = await runBin(["bundle", "push", folder, reference], env);
  expect(code, stderr).toBe(0);
  return stdout.trim().split("@")[1] ?? "";
}

async function reasonsOf(client: RawClient): Promise<readonly string[]> {
  const { result } = await client.call("crm__echo");
  const decision = Object(Object(result)._meta)["io.mcp-gateway/decision"];
  return decision?.reasons ?? ["allow"];
}

/** Digest of the bundle that decided the last call, as its record has it. */
async function decidedBy(config: string, env: Record<string, string>): Promise<unknown> {
  const args = ["decision", "get", "last", "--config", config, "-o", "json"];
  const { code, stdout, stderr } = await runBin(args, env);
  expect(code, stderr).toBe(0);
  return Object(JSON.parse(stdout).admission.bundles).crm.digest;
}

test("a push is live without a restart, a rollback without the registry, and a resumption with it", async () => {
  const proxy = await startRegistry();
  const env = freshEnvironment();
  const reference = `oci://${proxy.host}/policies/crm:live`;
  const v1 = await push(reference, "v1", grant, env);
  const policy = { bundle: reference, require: "none", poll: "1s" };
  const scope = { agent: { id: "support-bot", scope: "customer_support" } };
  const config = writeFixtureConfig({ crm: { policy } }, scope);
  const bundle = async (...args: readonly string[]) => {
    const done = await runBin(["bundle", ...args, "--config", config], env);
    expect(done.code, done.stderr).toBe(0);
    return done;
  };
  const client = await startRawClient(serveCommand(config, env));
  onTestFinished(async () => void (await client.end()));
  await eventually(async () => (await reasonsOf(client))[0] === "allow", 30_000);

  const v2 = await push(reference, "v2", refuse, env);
  await eventually(async () => (await reasonsOf(client))[0] === "no_rule_allows", 30_000);
  expect(await decidedBy(config, env)).toBe(v2);

  proxy.setMode("refuse");
  proxy.cut();
  const { stdout } = await bundle("rollback", "crm", "--why", "denies everything");
  expect(stdout.trim()).toBe(v1);
  await eventually(async () => (await reasonsOf(client))[0] === "allow", 30_000);
  expect(await decidedBy(config, env)).toBe(v1);
  const listed = JSON.parse((await bundle("list", "-o", "json")).stdout);
  expect(listed.items[0]).toMatchObject({
    state: "held",
    active_revision: "v1",
    active: { digest: v1 },
  });

  proxy.setMode("pass");
  await bundle("resume", "crm");
  await eventually(async () => (await reasonsOf(client))[0] === "no_rule_allows", 30_000);
  expect(await decidedBy(config, env)).toBe(v2);

  await bundle("revoke", "crm", v2, "--why", "never again");
  await eventually(async () => (await reasonsOf(client))[0] === "allow", 30_000);
  expect(await decidedBy(config, env)).toBe(v1);
  const { items } = JSON.parse((await bundle("history", "crm", "-o", "json")).stdout);
  expect(items).toContainEqual(
    expect.objectContaining({
      digest: v2,
      revoked: expect.objectContaining({ why: "never again" }),
    }),
  );
}, 300_000);
