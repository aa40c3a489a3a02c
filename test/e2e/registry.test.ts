/**
 * The gateway and its command line with a real registry: Debian's where it is installed, one in this
 * process otherwise.
 */
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isInstalled, runProgram, startDockerRegistry } from "../support/docker-registry.ts";
import { startFakeRegistry } from "../support/fake-registry.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, root, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startRawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const hasRegistry = isInstalled("docker-registry");
let layout = "";

beforeAll(async () => {
  layout = await buildLayout({ crm: allowAll });
});

async function startRegistry(): Promise<{
  readonly host: string;
  readonly close: () => Promise<void>;
}> {
  const registry = hasRegistry
    ? await startDockerRegistry(temporaryFolder())
    : await startFakeRegistry();
  onTestFinished(registry.close);
  return registry;
}

/** Pushes the demo's policy sources; returns the pinned reference that was printed. */
async function push(host: string, env: Record<string, string>): Promise<string> {
  const reference = `oci://${host}/policies/crm:1.0`;
  const { code, stdout, stderr } = await runBin(["bundle", "push", "bundles/crm", reference], env);
  expect(code, stderr).toBe(0);
  expect(stdout.trim()).toMatch(new RegExp(`^${reference}@sha256:[0-9a-f]{64}$`));
  return stdout.trim();
}

/** One call through a gateway whose server `crm` has this policy; its reasons, or `["allow"]`. */
async function callThrough(bundle: string, env: Record<string, string>) {
  // Tags are what is tested here, and who may vouch for them elsewhere.
  const policy = { bundle, require: "none" };
  const scope = { agent: { id: "support-bot", scope: "customer_support" } };
  const config = writeFixtureConfig({ crm: { policy } }, scope);
  const client = await startRawClient(serveCommand(config, env));
  const { result } = await client.call("crm__echo");
  await client.end();
  const decision = Object(Object(result)._meta)["io.mcp-gateway/decision"];
  return { reasons: decision?.reasons ?? ["allow"], stderr: client.stderr() };
}

describe("a bundle in a registry", () => {
  test("is pushed by the command line and pulled by the gateway", async () => {
    const registry = await startRegistry();
    const env = freshEnvironment();
    const pinned = await push(registry.host, env);
    // The demo's bundle grants nothing to the fixture's tool, which shows that it decided.
    expect((await callThrough(pinned, env)).reasons).toEqual(["no_rule_allows"]);
    const pulled = await runBin(["bundle", "pull", pinned], env);
    expect(pulled).toMatchObject({ code: 0, stdout: `${pinned}\n` });
  });

  test("serves from the cache when the registry is away, and denies without one", async () => {
    const registry = await startRegistry();
    const env = freshEnvironment();
    await push(registry.host, env);
    const reference = `oci://${registry.host}/policies/crm:1.0`;
    expect((await callThrough(reference, env)).reasons).toEqual(["no_rule_allows"]);
    await registry.close();
    const again = await callThrough(reference, env);
    expect(again.reasons).toEqual(["no_rule_allows"]);
    expect(again.stderr).toContain("last good bundle");
    expect((await callThrough(reference, freshEnvironment())).reasons).toEqual(["no_policy"]);
  });

  test("whose digest is another is refused with exit code 8, or denies", async () => {
    const registry = await startRegistry();
    const env = freshEnvironment();
    const pinned = await push(registry.host, env);
    const layoutCopy = temporaryFolder();
    await copyTampered(layoutCopy);
    const tampered = `oci-layout:${layoutCopy}:crm`;
    const { code, stderr } = await runBin(["bundle", "pull", tampered], env);
    expect([code, stderr]).toEqual([8, expect.stringContaining("bundle_digest_mismatch")]);
    expect((await callThrough(tampered, env)).reasons).toEqual(["no_policy"]);
    const other = pinned.replace(/[0-9a-f]{64}$/, "0".repeat(64));
    expect((await runBin(["bundle", "pull", other], env)).code).toBe(7);
  });

  test("that cannot be reached ends the command with exit code 7 and says what to check", async () => {
    const { code, stderr } = await runBin(
      ["bundle", "pull", "oci://127.0.0.1:1/policies/crm:1.0"],
      freshEnvironment(),
    );
    expect([code, stderr]).toEqual([7, expect.stringContaining("bundle_unreachable")]);
  });

  test("that skopeo put there is pulled by the gateway, and ours is copied by skopeo", async () => {
    if (!isInstalled("skopeo") || !hasRegistry) return;
    const registry = await startRegistry();
    const env = freshEnvironment();
    const target = `docker://${registry.host}/policies/copied:1.0`;
    await runProgram("skopeo", ["copy", "--dest-tls-verify=false", `oci:${layout}:crm`, target]);
    const copied = `oci://${registry.host}/policies/copied:1.0`;
    expect((await callThrough(copied, env)).reasons).toEqual(["allow"]);
    const back = join(temporaryFolder(), "layout");
    const pinned = await push(registry.host, env);
    const source = `docker://${registry.host}/policies/crm:1.0`;
    await runProgram("skopeo", ["copy", "--src-tls-verify=false", source, `oci:${back}:1.0`]);
    const inspected = await runBin(["bundle", "pull", `oci-layout:${back}:1.0`], env);
    expect(inspected.stdout.trim().split("@")[1]).toBe(pinned.split("@")[1]);
  });
});

/** A copy of the layout in which one byte of every blob that is no manifest differs. */
async function copyTampered(target: string): Promise<void> {
  await runProgram("cp", ["-r", `${layout}/.`, target]);
  const blobs = join(target, "blobs", "sha256");
  for (const name of await readdir(blobs)) {
    const bytes = await readFile(join(blobs, name));
    if (bytes[0] === 0x7b) continue;
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(join(blobs, name), bytes);
  }
}

test("a folder without a name of its own is not pushed", async () => {
  const folder = temporaryFolder();
  await writeFile(join(folder, "policy.rego"), "package p\n\nallow contains 1 if true\n");
  const target = `oci-layout:${join(folder, "layout")}:p`;
  const { code, stderr } = await runBin(["bundle", "push", folder, target], freshEnvironment());
  expect([code, stderr]).toEqual([3, expect.stringContaining("metadata.name")]);
});

test("bundle list shows what the configuration names and what the cache has", async () => {
  const env = freshEnvironment();
  const args = ["bundle", "list", "--config", join(root, "mcp-gateway.config.json"), "-o", "json"];
  const { code, stdout } = await runBin(args, env);
  expect(code).toBe(0);
  const { items } = JSON.parse(stdout);
  expect(items.map(({ name }: { name: string }) => name)).toEqual([
    "crm",
    "mail",
    "identity",
    "workflow",
    "compliance",
    "overrides",
  ]);
  for (const item of items)
    expect(item).toMatchObject({ here: { digest: expect.stringMatching(/^sha256:/) } });
});
