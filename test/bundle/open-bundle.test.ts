import { describe, expect, test } from "vitest";
import type { CompilePolicy } from "../../src/bundle/compile-policy.ts";
import { openBundle } from "../../src/bundle/open-bundle.ts";
import type { BundleOrigin } from "../../src/bundle/open-bundle.ts";
import type { Bundle } from "../../src/contract/bundle.ts";
import { codeOf, messageOf } from "../../src/errors.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";

const origin: BundleOrigin = {
  name: "crm",
  kind: "server",
  reference: "oci-layout:/dist:crm",
  digest: `sha256:${"1".repeat(64)}`,
  origin: "layout",
  opaque: "accept",
};
const rego = "package mcp.crm\n\ndeny contains 1\n";

async function open(
  files: ReadonlyMap<string, Buffer>,
  about: Partial<BundleOrigin> = {},
  compile?: CompilePolicy,
): Promise<Bundle> {
  return await openBundle(files, { ...origin, ...about }, compile);
}

async function failure(...args: Parameters<typeof open>): Promise<readonly [string, string]> {
  try {
    await open(...args);
  } catch (thrown) {
    return [codeOf(thrown) ?? "no code", messageOf(thrown)];
  }
  return ["opened", ""];
}

function withManifest(manifest: unknown): Map<string, Buffer> {
  return tinyFiles({}, { ".manifest": JSON.stringify(manifest) });
}

function withEntrypoints(...paths: readonly string[]): Map<string, Buffer> {
  const wasm = paths.map((entrypoint) => ({ entrypoint, module: "/policy.wasm" }));
  return withManifest({ wasm });
}

describe("a bundle", () => {
  test("is known by name, revision, digest, package and where it came from", async () => {
    const files = tinyFiles(
      { name: "crm", policy_package: "mcp.crm", note: "kept" },
      { "data.json": '{"n": 1.0}', "policy.rego": rego },
    );
    expect(await open(files)).toMatchObject({
      name: "crm",
      revision: "1.0.0",
      kind: "server",
      reference: origin.reference,
      digest: origin.digest,
      origin: "layout",
      policyPackage: "mcp.crm",
      dataJson: '{"n": 1.0}',
      metadata: { note: "kept" },
      sources: new Map([["policy.rego", rego]]),
    });
  });

  test("does not carry its archive around in its wasm", async () => {
    const { wasm } = await open(tinyFiles());
    expect(wasm.buffer.byteLength).toBe(wasm.byteLength);
  });

  test("of another server is refused", async () => {
    const [code, message] = await failure(tinyFiles({ name: "mail" }));
    expect(code).toBe("bundle_name_mismatch");
    expect(message).toMatch(/"crm".*"mail"/);
  });

  test("without a name is taken for the one that it is configured as", async () => {
    expect((await open(tinyFiles({}))).name).toBe("crm");
  });

  test("of another kind of layer is refused, both ways", async () => {
    const compliance = tinyFiles({ name: "crm", layer: "compliance" });
    expect((await failure(compliance))[0]).toBe("bundle_kind_mismatch");
    expect((await failure(tinyFiles(), { kind: "overrides" }))[0]).toBe("bundle_kind_mismatch");
    expect((await open(compliance, { kind: "compliance" })).kind).toBe("compliance");
  });

  test("of an unknown kind of layer is refused", async () => {
    expect((await failure(tinyFiles({ layer: "root" })))[0]).toBe("bundle_manifest_invalid");
  });

  test("that changes another one (patch.json) is refused", async () => {
    const files = tinyFiles({ name: "crm" }, { "patch.json": '{"data":[]}' });
    expect(await failure(files)).toEqual([
      "bundle_artifact_unsupported",
      expect.stringContaining("delta"),
    ]);
  });
});

describe("the entrypoints of a bundle", () => {
  const built = { rules: ["deny"], opa_version: "1.22.2" };
  const all = ["mcp/crm/classify", "mcp/crm/visibility", "mcp/crm/decision"];
  const entries = all.map((entrypoint) => ({ entrypoint }));

  test("of our toolchain are told by their names", async () => {
    const files = withManifest({ wasm: entries, metadata: built });
    expect((await open(files)).entrypoints).toEqual({
      decision: "mcp/crm/decision",
      classify: "mcp/crm/classify",
      visibility: "mcp/crm/visibility",
    });
  });

  test("of our toolchain are absent where the bundle has no such rule", async () => {
    const files = withManifest({ wasm: entries.slice(2), metadata: built });
    expect((await open(files)).entrypoints).toEqual({ decision: "mcp/crm/decision" });
  });

  test("of somebody else: the one that there is answers visibility too", async () => {
    expect((await open(withEntrypoints("authz/allow"))).entrypoints).toEqual({
      decision: "authz/allow",
      classify: undefined,
      visibility: "authz/allow",
    });
  });

  test("of somebody else: one of several that is named decision", async () => {
    const { entrypoints } = await open(withEntrypoints("a/allow", "a/decision", "a/classify"));
    expect(entrypoints).toMatchObject({ decision: "a/decision", classify: undefined });
  });

  test.each([[[]], [["a/allow", "a/deny"]], [["a/decision", "b/decision"]]])(
    "that are %j are refused, since it is not clear which one decides",
    async (paths) => {
      expect((await failure(withEntrypoints(...paths)))[0]).toBe("bundle_manifest_invalid");
    },
  );

  test("give the package: of the rule, or the package itself", async () => {
    expect((await open(withEntrypoints("authz/http/allow"))).policyPackage).toBe("authz.http");
    const files = withEntrypoints("authz/http").set("a.rego", Buffer.from("package authz.http\n"));
    expect((await open(files)).policyPackage).toBe("authz.http");
  });
});

describe("a bundle that is not in order", () => {
  test("without wasm and Rego is refused by what is missing", async () => {
    const [code, message] = await failure(tinyFiles({ name: "crm" }, { "policy.wasm": undefined }));
    expect(code).toBe("bundle_without_policy");
    expect(message).toMatch(/policy\.wasm or Rego sources.*found neither/);
  });

  test.each([
    ["a manifest that is no JSON", { ".manifest": "{" }],
    ["a manifest that is a list", { ".manifest": "[]" }],
    ["a revision that is a number", { ".manifest": '{"revision":1}' }],
    ["a manifest below the top", { "a/.manifest": "{}" }],
    ["a manifest in binary form", { ".manifest.pb": "x" }],
    ["a second manifest", { "other.manifest": "{}" }],
    ["no manifest beside its wasm", { ".manifest": undefined }],
    ["data that is no JSON", { "data.json": "{" }],
    ["data that is a list", { "data.json": "[]" }],
    ["data as YAML", { "data.yaml": "a: 1" }],
    ["data as YAML in a folder", { "a/data.yml": "a: 1" }],
    ["one value of data in two files", { "data.json": '{"a":{"b":1}}', "a/data.json": '{"b":2}' }],
    ["sources that are no text", { "a.rego": Buffer.from([0xff]) }],
    [
      "a module that it does not have",
      { ".manifest": '{"wasm":[{"entrypoint":"a/b","module":"/other.wasm"}]}' },
    ],
    [
      "two modules",
      {
        ".manifest":
          '{"wasm":[{"entrypoint":"a/decision"},{"entrypoint":"a/b","module":"/b.wasm"}]}',
        "b.wasm": "x",
      },
    ],
  ])("with %s is refused", async (_, files) => {
    expect((await failure(tinyFiles({ name: "crm" }, files)))[0]).toBe("bundle_manifest_invalid");
  });

  test("with wasm that is none is refused", async () => {
    const files = tinyFiles({ name: "crm" }, { "policy.wasm": "package a" });
    expect((await failure(files))[0]).toBe("bundle_wasm_invalid");
  });
});

describe("the base document of a bundle", () => {
  test("is empty where the bundle ships none", async () => {
    expect((await open(tinyFiles())).dataJson).toBe("{}");
  });

  test("keeps its numbers as they were written", async () => {
    const files = tinyFiles({}, { "data.json": '{"big":12345678901234567890,"one":1.0}' });
    expect((await open(files)).dataJson).toBe('{"big":12345678901234567890,"one":1.0}');
  });

  test("is put together from files in folders, as OPA does", async () => {
    const files = tinyFiles(
      {},
      { "data.json": '{"a":{"x":1}}', "a/b/data.json": '{"y":2}', "c/data.json": '{"z":3}' },
    );
    expect(JSON.parse((await open(files)).dataJson)).toEqual({
      a: { x: 1, b: { y: 2 } },
      c: { z: 3 },
    });
  });
});

describe("a bundle with Rego sources alone", () => {
  const sources = tinyFiles(
    { name: "crm" },
    { "policy.wasm": undefined, "policy.rego": rego, "data.json": '{"a":1}' },
  );

  test("is compiled, and opened as what came out of it", async () => {
    const seen: unknown[] = [];
    const bundle = await open(sources, {}, ({ modules, dataJson }, kind) => {
      seen.push(modules.get("policy.rego"), dataJson, kind);
      return Promise.resolve(tinyFiles({ name: "crm" }, { "data.json": dataJson }));
    });
    expect(seen).toEqual([rego, '{"a":1}', "server"]);
    expect(bundle).toMatchObject({ dataJson: '{"a":1}', digest: origin.digest });
  });

  test("is refused where nothing can compile it", async () => {
    expect((await failure(sources))[0]).toBe("bundle_without_policy");
  });

  test("is refused with the compiler's words where they do not compile", async () => {
    const compile = failing("policy.rego:3:1: no such rule");
    const [code, message] = await failure(sources, {}, compile);
    expect(code).toBe("bundle_compile_failed");
    expect(message).toContain("policy.rego:3:1: no such rule");
  });

  test("is refused where the compiler gives no wasm", async () => {
    const compile: CompilePolicy = () => Promise.resolve(sources);
    expect((await failure(sources, {}, compile))[0]).toBe("bundle_without_policy");
  });

  test("of another server is refused before it is compiled", async () => {
    const compile = failing("was called");
    expect((await failure(sources, { name: "mail" }, compile))[0]).toBe("bundle_name_mismatch");
  });
});

function failing(message: string): CompilePolicy {
  return () => Promise.reject(new Error(message));
}
