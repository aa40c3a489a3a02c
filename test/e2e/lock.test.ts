/**
 * A locked source under a running gateway: its tag moves, and what decides does not.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isInstalled, startDockerRegistry } from "../support/docker-registry.ts";
import { eventually } from "../support/eventually.ts";
import { startFakeRegistry } from "../support/fake-registry.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a tag that moves is seen, waits, and decides nothing", async () => {
  const registry = isInstalled("docker-registry")
    ? await startDockerRegistry(temporaryFolder())
    : await startFakeRegistry();
  onTestFinished(registry.close);
  const env = freshEnvironment();
  const reference = `oci://${registry.host}/policies/crm:live`;
  const push = async (revision: string, rego: string): Promise<string> => {
    const folder = join(temporaryFolder(), revision);
    mkdirSync(folder);
    const metadata = { name: "crm", layer: "server", policy_package: "mcp.crm" };
    const manifest = { revision, roots: ["mcp/crm"], metadata };
    writeFileSync(join(folder, ".manifest"), JSON.stringify(manifest));
    writeFileSync(join(folder, "policy.rego"), `package mcp.crm\n\n${rego}\n`);
    const { code, stdout, stderr } = await runBin(["bundle", "push", folder, reference], env);
    expect(code, stderr).toBe(0);
    return stdout.trim().split("@")[1] ?? "";
  };
  const v1 = await push("1.0.0", 'allow contains "all" if input.action.type == "tool_call"');
  // What is remote has to be pinned by default: the lock does that.
  const config = writeFixtureConfig({ crm: { policy: { bundle: reference, poll: "1s" } } });
  const locked = await runBin(["bundle", "lock", "--config", config], env);
  expect(locked.code, locked.stderr).toBe(0);
  const { args, ...command } = serveCommand(config, env);
  const client = await startRawClient({ ...command, args: [...args, "--frozen"] });
  onTestFinished(async () => void (await client.end()));
  const isAllowed = async (): Promise<boolean> => {
    const { result } = await client.call("crm__echo");
    return Object(Object(result)._meta)["io.mcp-gateway/decision"] === undefined;
  };
  await eventually(isAllowed, 30_000);
  const v2 = await push("2.0.0", 'allow contains "none" if input.action.type == "none"');
  const listed = async () => {
    const { stdout } = await runBin(["bundle", "list", "--config", config, "-o", "json"], env);
    return JSON.parse(stdout).items[0];
  };
  await eventually(async () => (await listed()).candidate?.digest === v2, 30_000);
  expect(await listed()).toMatchObject({ active: { digest: v1 }, candidate: { state: "waiting" } });
  expect(await isAllowed()).toBe(true);
}, 120_000);
