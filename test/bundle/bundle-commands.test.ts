import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { openArchive } from "../../src/bundle/archive.ts";
import { registryWithBundle } from "../support/bundle-setting.ts";
import { runCli } from "../support/cli-run.ts";
import { reply } from "../support/fake-registry.ts";
import { tinyArchive, tinyFiles } from "../support/tiny-bundle.ts";
import { packBundle } from "../../src/bundle/archive.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const pinned = /@sha256:[0-9a-f]{64}$/;

/** A folder to work in, with a home of its own so that nobody's login is used. */
async function workFolder(): Promise<{
  readonly folder: string;
  readonly cli: (...args: readonly string[]) => ReturnType<typeof runCli>;
}> {
  const folder = temporaryFolder();
  const env = { HOME: folder, XDG_CACHE_HOME: join(folder, "cache") };
  return { folder, cli: async (...args) => await runCli(args, folder, env) };
}

async function writeConfig(folder: string, config: object): Promise<void> {
  const base = {
    agent: { id: "support-bot", scope: "customer_support" },
    user: { id: "alice" },
    environment: { region: "us-east" },
  };
  const path = join(folder, "mcp-gateway.config.json");
  await writeFile(path, JSON.stringify({ ...base, ...config }), { mode: 0o600 });
}

describe("bundle push", () => {
  test("builds a folder of sources, prints the pinned reference, and its archive gives the same one again", async () => {
    const { cli } = await workFolder();
    const registry = await registryWithBundle();
    const reference = `oci://${registry.host}/acme/crm:v1`;
    const pushed = await cli("bundle", "push", resolve("bundles/crm"), reference);
    expect(pushed).toMatchObject({ exitCode: 0, err: "" });
    expect(pushed.out).toMatch(pinned);
    expect(pushed.out.startsWith(`${reference}@`)).toBe(true);

    await cli("bundle", "pull", pushed.out, "--file", "crm.tar.gz");
    const layout = await cli("bundle", "push", "crm.tar.gz", "oci-layout:dist:crm");
    expect(layout.out.split("@")[1]).toBe(pushed.out.split("@")[1]);

    const inspected = await cli("bundle", "inspect", "oci-layout:dist:crm", "-o", "json");
    expect(JSON.parse(inspected.out)).toMatchObject({
      name: "crm",
      layer: "server",
      policy_package: "mcp.crm",
      wasm_abi: "1.3",
      artifact_type: "application/vnd.mcp-gateway.policy-bundle.v1",
      annotations: { "org.opencontainers.image.title": "crm" },
    });
    expect(JSON.parse(inspected.out).rules).toContain("allow");
    expect(JSON.parse(inspected.out).entrypoints).toContain("mcp/crm/decision");
    expect(JSON.parse(inspected.out).policy_annotations).toContainEqual({
      path: "mcp.crm.allow",
      file: "policy.rego",
      row: expect.any(Number),
      col: 1,
      annotations: expect.objectContaining({
        title: "Support reads customer records",
        custom: expect.objectContaining({ id: "crm.read", severity: "low" }),
      }),
    });
  }, 60_000);

  test("takes an archive that was built elsewhere", async () => {
    const { cli, folder } = await workFolder();
    await writeFile(join(folder, "bundle.tar.gz"), tinyArchive());
    const pushed = await cli("bundle", "push", "bundle.tar.gz", "oci-layout:dist:crm");
    expect(pushed.out).toMatch(pinned);
  });

  test("dates the artifact by SOURCE_DATE_EPOCH, and refuses one that is no time", async () => {
    const folder = temporaryFolder();
    await writeFile(join(folder, "bundle.tar.gz"), tinyArchive());
    const push = async (epoch: string) =>
      await runCli(
        ["bundle", "push", "bundle.tar.gz", "oci-layout:dist:crm", "-o", "json"],
        folder,
        { HOME: folder, SOURCE_DATE_EPOCH: epoch },
      );
    expect(JSON.parse((await push("86400")).out).annotations).toMatchObject({
      "org.opencontainers.image.created": "1970-01-02T00:00:00Z",
    });
    expect(await push("tomorrow")).toMatchObject({ exitCode: 2 });
  });

  test("of sources that are wrong is exit code 3, with the place", async () => {
    const { cli, folder } = await workFolder();
    await writeFile(join(folder, "policy.rego"), "package mcp.crm\n\ndenies contains 1\n");
    await writeFile(join(folder, ".manifest"), '{"metadata":{"name":"crm"}}');
    const pushed = await cli("bundle", "push", ".", "oci-layout:dist:crm");
    expect(pushed.exitCode).toBe(3);
    expect(pushed.err).toContain("policy.rego:3:1");
    expect(pushed.out).toBe("");
  });
});

describe("bundle pull", () => {
  test("fills the cache, prints the pinned reference, and writes the archive", async () => {
    const { cli, folder } = await workFolder();
    const registry = await registryWithBundle();
    const pulled = await cli("bundle", "pull", registry.reference, "--file", "crm.tar.gz");
    expect(pulled).toMatchObject({ exitCode: 0, err: "" });
    expect(pulled.out).toBe(`${registry.reference}@${registry.digest}`);
    const archive = openArchive(await readFile(join(folder, "crm.tar.gz")));
    expect([...archive.keys()]).toEqual([".manifest", "policy.rego", "policy.wasm"]);
    await registry.close();
    expect(await cli("bundle", "pull", pulled.out)).toMatchObject({ exitCode: 0 });
  });

  test("signs in with what docker login left", async () => {
    const folder = temporaryFolder();
    const registry = await registryWithBundle();
    const auth = Buffer.from("alice:hunter2").toString("base64");
    registry.misbehave(({ headers }, response) => {
      if (headers.authorization === `Basic ${auth}`) return false;
      return reply(response, 401, { "www-authenticate": 'Basic realm="r"' });
    });
    const args = ["bundle", "pull", registry.reference];
    const env = { HOME: folder, DOCKER_CONFIG: folder };
    expect(await runCli(args, folder, env)).toMatchObject({ exitCode: 9 });
    const config = JSON.stringify({ auths: { [registry.host]: { auth } } });
    await writeFile(join(folder, "config.json"), config);
    expect(await runCli(args, folder, env)).toMatchObject({ exitCode: 0 });
  });

  test("signs in with the registries of the configuration", async () => {
    const { cli, folder } = await workFolder();
    const registry = await registryWithBundle();
    const auth = Buffer.from("alice:hunter2").toString("base64");
    registry.misbehave(({ headers }, response) => {
      if (headers.authorization === `Basic ${auth}`) return false;
      return reply(response, 401, { "www-authenticate": 'Basic realm="r"' });
    });
    const registries = { [registry.host]: { username: "alice", password: "hunter2" } };
    await writeConfig(folder, { registries, servers: {} });
    expect(await cli("bundle", "pull", registry.reference)).toMatchObject({ exitCode: 0 });
  });

  test.each([
    ["a reference that is none", 2, "bundle_reference_invalid", undefined],
    ["a registry that wants a password", 9, "bundle_unauthorized", 401],
    ["a registry that refuses", 9, "bundle_unauthorized", 403],
    ["a tag that is not there", 7, "bundle_not_found", 404],
    ["a registry that is broken", 7, "bundle_unreachable", 500],
  ])("of %s is exit code %i", async (_, exitCode, code, status) => {
    const { cli } = await workFolder();
    const registry = await registryWithBundle();
    if (status !== undefined) registry.misbehave((_, response) => reply(response, status));
    const reference = status === undefined ? "nonsense" : registry.reference;
    const pulled = await cli("bundle", "pull", reference);
    expect(pulled).toMatchObject({ exitCode, out: "" });
    expect(pulled.err).toContain(`[${code}]`);
  });

  test("of a registry that is away is exit code 7, whatever the cache has", async () => {
    const { cli } = await workFolder();
    const registry = await registryWithBundle();
    await cli("bundle", "pull", registry.reference);
    await registry.close();
    expect(await cli("bundle", "pull", registry.reference)).toMatchObject({ exitCode: 7, out: "" });
  });

  test("of content with a wrong digest is exit code 8", async () => {
    const { cli } = await workFolder();
    const registry = await registryWithBundle();
    for (const digest of registry.blobs.keys()) registry.blobs.set(digest, tinyArchive({}));
    const pulled = await cli("bundle", "pull", registry.reference);
    expect(pulled).toMatchObject({ exitCode: 8, out: "" });
    expect(pulled.err).toContain("[bundle_digest_mismatch]");
  });

  test("of a bundle without policy is exit code 3", async () => {
    const { cli } = await workFolder();
    const files = tinyFiles({ name: "crm" }, { "policy.wasm": undefined });
    const registry = await registryWithBundle(Buffer.from(packBundle(files)));
    expect(await cli("bundle", "pull", registry.reference)).toMatchObject({ exitCode: 3, out: "" });
  });

  test("of a folder of sources is exit code 2", async () => {
    const { cli } = await workFolder();
    expect(await cli("bundle", "pull", "file:bundles/crm")).toMatchObject({ exitCode: 2 });
  });
});

describe("bundle list", () => {
  test("says of each server and layer what is here of its bundle", async () => {
    const { cli, folder } = await workFolder();
    const registry = await registryWithBundle();
    await writeFile(join(folder, "bundle.tar.gz"), tinyArchive({ name: "mail" }));
    await cli("bundle", "push", "bundle.tar.gz", "oci-layout:dist:mail");
    await writeConfig(folder, {
      servers: {
        crm: { command: "node", policy: registry.reference },
        mail: { command: "node", policy: "oci-layout:dist:mail" },
        other: { command: "node", policy: "oci-layout:dist:mail" },
        bare: { command: "node" },
      },
      layers: [{ name: "compliance", kind: "compliance", policy: "oci-layout:dist:none" }],
    });
    const states = async (): Promise<object> => {
      const { out } = await cli("bundle", "list", "-o", "json");
      const { items } = JSON.parse(out);
      return Object.fromEntries(
        items.map((item: { name: string; state: string }) => [item.name, item.state]),
      );
    };
    const expected = {
      mail: "ready",
      other: "bundle_name_mismatch",
      bare: "no_policy",
      compliance: "bundle_not_found",
    };
    expect(await states()).toEqual({ ...expected, crm: "not_pulled" });
    const why = `no gateway has asked for ${registry.reference} yet, and it is not in the cache`;
    expect((await cli("bundle", "list")).err).toContain(`crm: ${why}`);
    expect((await cli("bundle", "list", "-o", "json")).out).toContain(why);
    await cli("bundle", "pull", registry.reference);
    await registry.close();
    expect(await states()).toEqual({ ...expected, crm: "cached" });
    const { out } = await cli("bundle", "list");
    expect(out).toMatch(/^NAME +STATE +REVISION +DIGEST +SIGNER +AGE +NEXT +ASKED\n/);
    expect((await cli("bundle", "list")).err).not.toContain("crm:");
    expect(out).toMatch(/^crm +cached +1\.0\.0 +[0-9a-f]{12} +- +- +- +-$/m);
  }, 120_000);

  test("without a configuration is exit code 3", async () => {
    const { cli } = await workFolder();
    expect(await cli("bundle", "list")).toMatchObject({ exitCode: 3, out: "" });
  });
});

test("bundle inspect of a bundle without sources has no annotations of its policy", async () => {
  const { cli } = await workFolder();
  const registry = await registryWithBundle();
  const inspected = await cli("bundle", "inspect", registry.reference, "-o", "json");
  expect(inspected).toMatchObject({ exitCode: 0, err: "" });
  expect(JSON.parse(inspected.out).policy_annotations).toEqual([]);
});

test("bundle inspect of sources that the toolchain refuses describes the rest and says why", async () => {
  const { cli } = await workFolder();
  const rego = "package mcp.crm\n\ndenies contains 1 if true\n";
  const files = tinyFiles({ name: "crm" }, { "policy.rego": rego });
  const registry = await registryWithBundle(Buffer.from(packBundle(files)));
  const inspected = await cli("bundle", "inspect", registry.reference, "-o", "json");
  expect(inspected.exitCode).toBe(0);
  expect(inspected.err).toMatch(/^warning: the annotations .*\npolicy\.rego:3:1: rule denies/);
  expect(JSON.parse(inspected.out)).toMatchObject({ name: "crm", policy_annotations: null });
});

test("bundle inspect of a bundle that cannot be opened is exit code 3", async () => {
  const { cli } = await workFolder();
  const registry = await registryWithBundle(Buffer.from("text"));
  const inspected = await cli("bundle", "inspect", registry.reference);
  expect(inspected).toMatchObject({ exitCode: 3, out: "" });
  expect(inspected.err).toContain("[bundle_archive_invalid]");
});
