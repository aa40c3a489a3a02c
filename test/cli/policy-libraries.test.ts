import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openArchive } from "../../src/bundle/archive.ts";
import { pushBundle } from "../../src/bundle/push-bundle.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import { buildSourceFolder } from "../../src/cli/bundle/build-sources.ts";
import { dependencies, registryOptions } from "../support/bundle-setting.ts";
import { runCli } from "../support/cli-run.ts";
import { startFakeRegistry } from "../support/fake-registry.ts";
import { writeSources } from "../support/policy-folder.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const libraryManifest = {
  revision: "1.2.0",
  roots: ["lib/text"],
  metadata: { name: "lib-text", layer: "library" },
};
const librarySources = {
  ".manifest": JSON.stringify(libraryManifest),
  "text.rego":
    'package lib.text\n\nis_short(text) if count(text) <= data.lib.text.longest\n\ndeny contains 1 if input.action.tool == "x"\n',
  "text_test.rego":
    'package lib.text_test\n\ntest_a_word_is_short if data.lib.text.is_short("word")\n',
  "data.json": '{"lib": {"text": {"longest": 8}}}',
};
const policy = `package mcp.crm

import data.lib.text

allow contains "anything" if input.action.type == "tool_call"

deny contains "long" if not text.is_short(input.action.tool)
`;
const policyTest = `package mcp.crm_test

test_a_long_name_is_refused if {
	count(data.mcp.crm.deny) == 1 with input as {"action": {"tool": "a_long_name"}}
}

test_a_short_one_is_not if count(data.mcp.crm.deny) == 0 with input as {"action": {"tool": "short"}}
`;
const [everything, setting] = ['allow contains "all"', { registry: registryOptions() }] as const;

interface Required {
  readonly name: string;
  readonly reference: string;
  readonly digest: string;
}

async function world() {
  const folder = temporaryFolder();
  const env = {
    HOME: folder,
    XDG_CACHE_HOME: join(folder, "cache"),
    PATH: process.env["PATH"] ?? "",
  };
  const cli = async (...args: readonly string[]) => await runCli(args, folder, env);
  await writeSources(join(folder, "lib-text"), librarySources);
  const built = await cli("policy", "build", "lib-text", "-o", "json", "-f", "lib.tar.gz");
  const digest: string = JSON.parse(built.out).digest;
  const writePolicy = async (
    requires: readonly Required[] | object,
    more: Readonly<Record<string, string>> = {},
  ) => {
    const metadata = { name: "crm", layer: "server", policy_package: "mcp.crm", requires };
    const manifest = { revision: "1", roots: ["mcp/crm"], metadata };
    return await writeSources(join(folder, "crm"), {
      ".manifest": JSON.stringify(manifest),
      "policy.rego": policy,
      "policy_test.rego": policyTest,
      ...more,
    });
  };
  const beside = { name: "lib-text", reference: "file:../lib-text", digest };
  return { folder, cli, digest, writePolicy, beside };
}

describe("a library", () => {
  test("is checked, tested and built without anything that would be asked", async () => {
    const { cli, folder } = await world();
    expect((await cli("policy", "test", "lib-text")).err).toContain("1 passed, 0 failed");
    expect(await cli("policy", "check", "lib-text", "-o", "json")).toMatchObject({ exitCode: 0 });
    const files = openArchive(await readFile(join(folder, "lib.tar.gz")));
    expect([...files.keys()].toSorted()).toEqual([".manifest", "data.json", "text.rego"]);
    expect(JSON.parse(files.get(".manifest")?.toString() ?? "")).toEqual({
      ...libraryManifest,
      rego_version: 1,
    });
  }, 120_000);

  test("is described by what is in it", async () => {
    const { cli } = await world();
    const pushed = await cli("bundle", "push", "lib-text", "oci-layout:dist:lib-text");
    expect(pushed).toMatchObject({ exitCode: 0 });
    const inspected = await cli("bundle", "inspect", "oci-layout:dist:lib-text", "-o", "json");
    expect(JSON.parse(inspected.out)).toMatchObject({
      name: "lib-text",
      layer: "library",
      revision: "1.2.0",
      rules: [],
      wasm_abi: null,
    });
  }, 120_000);
});

describe("a policy that requires a library", () => {
  test("is checked, tested, built, evaluated and served with it", async () => {
    const { cli, folder, writePolicy, beside } = await world();
    const path = await writePolicy([beside]);
    expect(await cli("policy", "check", "crm")).toMatchObject({ exitCode: 0, err: "" });
    // What is not covered of the library is no matter of the policy.
    expect((await cli("policy", "test", "crm")).err).toContain("2 passed, 0 failed");
    await writeFile(join(folder, "input.json"), '{"action": {"tool": "a_long_name"}}');
    const asked = await cli("policy", "eval", "crm", "-i", "input.json", "-o", "json");
    expect(JSON.parse(asked.out)).toMatchObject({ deny: ["long"] });
    const served = await buildSourceFolder(path, "server", dependencies());
    expect([...served.keys()].toSorted()).toEqual([
      ".manifest",
      "data.json",
      "gateway_entrypoints.rego",
      "libraries/lib-text/text.rego",
      "policy.rego",
      "policy.wasm",
    ]);
    const manifest = JSON.parse(Buffer.from(served.get(".manifest") ?? []).toString());
    expect(manifest).toMatchObject({
      roots: ["mcp/crm", "lib/text"],
      metadata: { libraries: [{ name: "lib-text", revision: "1.2.0", digest: beside.digest }] },
    });
  }, 180_000);

  test("takes it from a layout and a registry, and needs neither a second time", async () => {
    const { cli, folder, writePolicy } = await world();
    const registry = await startFakeRegistry();
    const [layout, remote] = [
      "oci-layout:../libraries:lib-text",
      `oci://${registry.host}/lib-text:1`,
    ];
    await cli("bundle", "push", "lib-text", "oci-layout:libraries:lib-text");
    const pushed = await cli("bundle", "push", "lib-text", remote, "-o", "json");
    const { digest } = JSON.parse(pushed.out);
    for (const reference of [layout, remote]) {
      await writePolicy([{ name: "lib-text", reference, digest }]);
      expect(await cli("policy", "check", "crm")).toMatchObject({ exitCode: 0, err: "" });
    }
    await registry.close();
    expect(await cli("policy", "check", "crm")).toMatchObject({ exitCode: 0, err: "" });
    await rm(join(folder, "cache"), { recursive: true });
    expect(await cli("policy", "check", "crm")).toMatchObject({ exitCode: 7 });
  }, 180_000);

  test("says in its provenance which one it was", async () => {
    const { cli, writePolicy, beside, digest } = await world();
    await writePolicy([beside]);
    const pushed = await cli("bundle", "push", "crm", "oci-layout:dist:crm");
    expect(pushed).toMatchObject({ exitCode: 0 });
    const inspected = await cli("bundle", "inspect", "oci-layout:dist:crm", "-o", "json");
    const [{ buildDefinition }] = JSON.parse(inspected.out).referrers.provenance;
    expect(buildDefinition.resolvedDependencies.at(-1)).toEqual({
      name: "lib-text",
      digest: { sha256: digest.slice("sha256:".length) },
      annotations: { kind: "library", revision: "1.2.0" },
    });
  }, 180_000);
});

describe("a library is refused", () => {
  test("where it is another one than required, and the one that is there is named", async () => {
    const { cli, folder, writePolicy, beside, digest } = await world();
    await writePolicy([beside]);
    await writeFile(join(folder, "lib-text", "more.rego"), "package lib.text.more\n\nx := 1\n");
    const changed = await cli("policy", "check", "crm");
    expect(changed.exitCode).toBe(8);
    expect(changed.err).toMatch(
      new RegExp(`expected ${digest}, found sha256:[0-9a-f]{64}; look at what changed`),
    );
    await cli("bundle", "push", "lib-text", "oci-layout:libraries:lib-text");
    const reference = "oci-layout:../libraries:lib-text";
    await writePolicy([{ name: "lib-text", reference, digest: `sha256:${"1".repeat(64)}` }]);
    const moved = await cli("policy", "check", "crm");
    expect(moved.exitCode).toBe(7);
    expect(moved.err).toContain("write the new digest");
  }, 120_000);

  test("where a layer stands in its place", async () => {
    const { cli, folder, writePolicy } = await world();
    await writeSources(join(folder, "mail"));
    const built = await cli("policy", "build", "mail", "-o", "json", "-f", "mail.tar.gz");
    const { digest } = JSON.parse(built.out);
    await writePolicy([{ name: "lib-text", reference: "file:../mail", digest }]);
    const refused = await cli("policy", "check", "crm");
    expect(refused.exitCode).toBe(8);
    expect(refused.err).toContain('expected metadata.layer "library", found "server"');
  }, 120_000);

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ["the policy's package", { "a.rego": "package lib.text\n\nx := 1\n" }, 'both at "lib/text"'],
    ["a package below", { "a.rego": "package lib.text.b\n\nx := 1\n" }, 'both at "lib/text"'],
    ["a package above", { "a.rego": "package lib\n\nx := 1\n" }, 'both at "lib/text"'],
    ["the policy's data", { "data.json": '{"lib": {"text": 1}}' }, 'both at "lib/text"'],
    ["a file of the build", { "libraries/a.rego": "package a\n" }, "left to the build"],
  ])(
    "where it collides with %s",
    async (_, more, found) => {
      const { cli, folder, writePolicy, beside } = await world();
      await writeSources(join(folder, "crm", "libraries"), {});
      await writePolicy([beside], more);
      const refused = await cli("policy", "check", "crm");
      expect(refused.exitCode).toBe(3);
      expect(refused.err).toContain(found);
    },
    120_000,
  );

  test("where two have one path", async () => {
    const { cli, folder, writePolicy, beside } = await world();
    await writeSources(join(folder, "lib-more"), {
      ".manifest": JSON.stringify({
        roots: ["lib/text/more"],
        metadata: { name: "lib-more", layer: "library" },
      }),
      "a.rego": "package lib.text.more\n\nx := 1\n",
    });
    const built = await cli("policy", "build", "lib-more", "-o", "json", "-f", "more.tar.gz");
    const { digest } = JSON.parse(built.out);
    await writePolicy([beside, { name: "lib-more", reference: "file:../lib-more", digest }]);
    const refused = await cli("policy", "check", "crm");
    expect(refused.exitCode).toBe(3);
    expect(refused.err).toContain('library "lib-more" and library "lib-text"');
  }, 120_000);

  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      "rules to the policy's package",
      { "more.rego": "package mcp.crm\n\n$rule\n" },
      "do not permit",
    ],
    [
      "rules to it in the generated file",
      { "gateway_entrypoints.rego": "package mcp.crm\n$rule" },
      "do not permit",
    ],
    [
      "rules to it, spelt otherwise",
      { "more.rego": '# x\npackage mcp["crm"]\n$rule' },
      "do not permit",
    ],
    ["data to it", { "data.json": '{"mcp": {"crm": {"all": true}}}' }, 'data at "mcp/crm/all"'],
    ["an empty object to it", { "data.json": '{"mcp": {"crm": {}}}' }, 'data at "mcp/crm"'],
  ])(
    "where it adds %s",
    async (_, more, found) => {
      const { folder, cli, writePolicy } = await world();
      const files = Object.entries({ ...librarySources, ...more }).map(([path, text]) => {
        return [path, Buffer.from(text.replace("$rule", everything))] as const;
      });
      const layout = `oci-layout:${join(folder, "strange")}:lib-text`;
      const { digest } = await pushBundle(new Map(files), parseReference(layout), setting);
      await writePolicy([{ name: "lib-text", reference: layout, digest }]);
      const { exitCode, err } = await cli("policy", "check", "crm");
      expect(err).toMatch(/"lib-text" to keep to its paths \(lib\/text\), found /);
      expect([exitCode, err.includes(found)]).toEqual([3, true]);
    },
    120_000,
  );

  test.each<[string, object, string]>([
    ["no digest", [{ name: "lib-text", reference: "file:../lib-text" }], '"0.digest"'],
    ["a name that is a path", [{ name: "lib-../x", reference: "a", digest: "b" }], '"0.name"'],
    ["no list", {}, "expected metadata.requires to be"],
  ])(
    "where what is required has %s",
    async (_, requires, found) => {
      const { cli, writePolicy } = await world();
      await writePolicy(requires);
      const refused = await cli("policy", "check", "crm");
      expect(refused.exitCode).toBe(3);
      expect(refused.err).toContain(found);
    },
    120_000,
  );

  test("where it is required twice, or said to be there already", async () => {
    const { cli, folder, writePolicy, beside } = await world();
    await writePolicy([beside, beside]);
    expect((await cli("policy", "check", "crm")).err).toContain('found "lib-text" twice');
    const metadata = { name: "crm", libraries: [beside] };
    await writeSources(join(folder, "crm"), { ".manifest": JSON.stringify({ metadata }) });
    expect((await cli("policy", "check", "crm")).err).toContain("written by the build");
  }, 120_000);
});

test("nobody is asked for libraries where none is required", async () => {
  const { cli, folder } = await world();
  await writeSources(join(folder, "plain"));
  await writeFile(join(folder, "mcp-gateway.config.json"), "{ broken");
  expect(await cli("policy", "check", "plain")).toMatchObject({ exitCode: 0 });
}, 60_000);
