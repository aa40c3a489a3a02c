import { describe, expect, test } from "vitest";
import { packBundle } from "../../src/bundle/archive.ts";
import { buildSources } from "../../src/cli/bundle/build-sources.ts";
import { loadCrm, registryWithBundle } from "../support/bundle-setting.ts";

const v0 = 'package mcp.crm\n\nallow["read"] { input.action.tool == "get_customer" }\n';
const v1 = 'package mcp.crm\n\nallow contains "read" if input.action.tool == "get_customer"\n';

/** A bundle of Rego alone in a registry, as `opa build` without a target makes it. */
async function load(rego: string, manifest: object) {
  const files = new Map([
    [".manifest", Buffer.from(JSON.stringify({ metadata: { name: "crm" }, ...manifest }))],
    ["crm/policy.rego", Buffer.from(rego)],
  ]);
  const home = await registryWithBundle(Buffer.from(packBundle(files)));
  return await loadCrm(home.reference, { compile: buildSources });
}

describe("a bundle of Rego alone", () => {
  test("of version 1 is compiled on arrival", async () => {
    const result = await load(v1, {});
    if (!result.ok) throw result.error;
    expect(result.bundle.wasm.length).toBeGreaterThan(1000);
    expect(result.bundle.sources.get("crm/policy.rego")).toBe(v1);
  }, 60_000);

  test("of version 0 is rewritten and compiled on arrival, where its manifest says so", async () => {
    const result = await load(v0, { rego_version: 0 });
    if (!result.ok) throw result.error;
    expect(result.bundle.wasm.length).toBeGreaterThan(1000);
    expect(result.bundle.sources.get("crm/policy.rego")).toContain('allow contains "read" if');
  }, 60_000);

  test("of version 0 by the name of its files is, too", async () => {
    const manifest = { rego_version: 1, file_rego_versions: { "/crm/*.rego": 0 } };
    expect((await load(v0, manifest)).ok).toBe(true);
  }, 60_000);

  test("of version 0 that does not say so is refused with its place", async () => {
    expect(await load(v0, {})).toMatchObject({
      ok: false,
      error: {
        code: "bundle_compile_failed",
        message: expect.stringContaining("crm/policy.rego:3"),
      },
    });
  }, 60_000);

  test("of a version that nobody knows is refused", async () => {
    expect(await load(v1, { rego_version: 7 })).toMatchObject({
      ok: false,
      error: { code: "bundle_compile_failed" },
    });
  }, 60_000);
});
