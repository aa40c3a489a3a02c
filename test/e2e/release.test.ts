/**
 * A release in the life of one server: made of what runs, signed, taken, held to by a running gateway,
 * and given back from this machine alone. The registry is a real one where there is one.
 */
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isInstalled, startDockerRegistry } from "../support/docker-registry.ts";
import { eventually } from "../support/eventually.ts";
import { startFakeRegistry } from "../support/fake-registry.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";
import type { RawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { outcomeOf, program } from "./release-world.ts";

const grant = 'allow contains "anything" if input.action.type == "tool_call"';

async function createWorld() {
  const registry = isInstalled("docker-registry")
    ? await startDockerRegistry(temporaryFolder())
    : await startFakeRegistry();
  let isUp = true;
  const stop = async (): Promise<void> => {
    if (isUp) await registry.close();
    isUp = false;
  };
  onTestFinished(stop);
  const env = freshEnvironment();
  const folder = temporaryFolder();
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = join(folder, "key.pem");
  writeFileSync(key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  writeFileSync(join(folder, "server.mjs"), program);
  const policy = `oci://${registry.host}/policies/crm:live`;
  const configPath = join(folder, "mcp-gateway.config.json");
  const config = {
    agent: { id: "bot", scope: "support" },
    user: { id: "alice" },
    policy: { deadline_ms: 10_000 },
    trust: { me: { type: "cosign-key", key: publicKey.export({ type: "spki", format: "pem" }) } },
    servers: {
      crm: {
        command: process.execPath,
        args: ["server.mjs", "${release.version}"],
        policy: { bundle: policy, poll: "1s" },
        release: `oci://${registry.host}/releases/crm:stable`,
      },
    },
  };
  writeFileSync(configPath, JSON.stringify(config, null, 2), { mode: 0o600 });
  const bin = async (...args: readonly string[]) =>
    await runBin([...args, "--config", configPath], env);
  const done = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await bin(...args);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };
  const pushPolicy = async (revision: string): Promise<string> => {
    const sources = join(temporaryFolder(), revision);
    mkdirSync(sources);
    const metadata = { name: "crm", layer: "server", policy_package: "mcp.crm" };
    const manifest = { revision, roots: ["mcp/crm"], metadata };
    writeFileSync(join(sources, ".manifest"), JSON.stringify(manifest));
    writeFileSync(join(sources, "policy.rego"), `package mcp.crm\n\n${grant}\n`);
    const { code, stdout, stderr } = await runBin(["bundle", "push", sources, policy], env);
    expect(code, stderr).toBe(0);
    await done("bundle", "sign", policy, "--key", key);
    return stdout.trim().split("@")[1] ?? "";
  };
  const makeRelease = async (version: string): Promise<string> => {
    const reference = `oci://${registry.host}/releases/crm:${version}`;
    const name = `@acme/crm@${version}`;
    await done("server", "release", "crm", "--package", name, "--push", reference);
    return reference;
  };
  const sign = async (reference: string) => await done("bundle", "sign", reference, "--key", key);
  const lock = () => JSON.parse(readFileSync(join(folder, "mcp-gateway.lock.json"), "utf8"));
  const known = { folder, env, configPath, bin, done, lock, stop };
  return { ...known, pushPolicy, makeRelease, sign };
}

test("program, pins and bundle move together, are held to, and come back without the registry", async () => {
  const world = await createWorld();
  const { bin, done, lock, folder, env, configPath } = world;
  const why = ["--why", "as planned"];
  const v1 = await world.pushPolicy("1.0.0");

  const early = await bin("serve", "--stdio");
  expect(early.code).toBe(3);
  expect(early.stderr).toContain('servers.crm.release: expected a release of "crm"');

  const first = await world.makeRelease("1.0.0");
  const unsigned = await bin("server", "upgrade", "crm", first, ...why);
  expect(unsigned.code).toBe(8);
  expect(unsigned.stderr).toContain("[bundle_unverified]");
  await world.sign(first);
  await done("server", "upgrade", "crm", first, ...why);
  expect(lock()).toMatchObject({
    bundles: { crm: { digest: v1, signers: ["me"] } },
    servers: { crm: { release: { server_info: { name: "crm", version: "1.0.0" } }, history: [] } },
  });

  const serve = async (): Promise<RawClient> => {
    const client = await startRawClient(serveCommand(configPath, env));
    onTestFinished(async () => void (await client.end()));
    await eventually(async () => (await outcomeOf(client, "steady")) !== "no_policy", 30_000);
    return client;
  };
  const one = await serve();
  expect(await outcomeOf(one, "moving")).toBe("ran 1.0.0");
  await one.end();
  const pinsPath = join(env["MCP_GATEWAY_STATE"] ?? "", "pins", "crm.json");
  const pinsOfOne = readFileSync(pinsPath);

  // Another program under the same release: whatever it is called for, it is not called.
  writeFileSync(join(folder, "version"), "6.6.6");
  const other = await startRawClient(serveCommand(configPath, env));
  await eventually(async () => (await outcomeOf(other, "steady")) === "release_mismatch", 30_000);
  expect(await outcomeOf(other, "moving")).toBe("release_mismatch");
  await other.end();
  const refused = await bin("server", "upgrade", "crm", first, ...why);
  expect(refused.code).toBe(8);
  expect(refused.stderr).toContain("a program that says it is crm 1.0.0, found crm 6.6.6");
  writeFileSync(join(folder, "version"), "2.0.0");

  const v2 = await world.pushPolicy("2.0.0");
  const second = await world.makeRelease("2.0.0");
  await world.sign(second);
  await done("server", "upgrade", "crm", second, ...why);
  expect(lock().bundles.crm.digest).toBe(v2);
  expect(lock().servers.crm.history).toHaveLength(1);

  // As a crash between the lock and the pins leaves it: the next gateway finishes it.
  writeFileSync(pinsPath, pinsOfOne);
  const two = await serve();
  expect(await outcomeOf(two, "moving")).toBe("ran 2.0.0");
  await two.end();

  // A policy that was chosen by hand does not run with a program of another release.
  await done("bundle", "rollback", "crm", "--to", v1, ...why);
  const held = await bin("server", "rollback", "crm", ...why);
  expect(held.stderr).toContain("run bundle resume crm first");
  const mixed = await serve();
  expect(await outcomeOf(mixed, "moving")).toBe("ran 2.0.0");
  const last = JSON.parse(await done("decision", "get", "last", "-o", "json"));
  expect(last.admission.bundles.crm.digest).toBe(v2);
  await mixed.end();
  await done("bundle", "resume", "crm");

  await world.stop();
  await done("server", "rollback", "crm", ...why);
  expect(lock()).toMatchObject({
    bundles: { crm: { digest: v1, revision: "1.0.0" } },
    servers: { crm: { release: { package: { version: "1.0.0" } } } },
  });
  const late = await startRawClient(serveCommand(configPath, env));
  await eventually(async () => (await outcomeOf(late, "steady")) === "release_mismatch", 30_000);
  await late.end();
  writeFileSync(join(folder, "version"), "1.0.0");
  const back = await serve();
  expect(await outcomeOf(back, "moving")).toBe("ran 1.0.0");
  await back.end();
  expect((await bin("server", "rollback", "crm", ...why)).stderr).toContain(
    'expected a release before the current one of "crm" in the lock, found 1.0.0, 2.0.0',
  );
}, 240_000);
