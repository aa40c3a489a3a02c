import { describe, expect, test } from "vitest";
import type { BundleFiles } from "../../src/bundle/compile-policy.ts";
import {
  failureMessage,
  loadCrm,
  outcomeOf,
  registryOptions,
  registryWithBundle,
} from "../support/bundle-setting.ts";
import { reply } from "../support/fake-registry.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";

describe("a folder of sources", () => {
  test("is used under --dev, with the digest of what it builds to", async () => {
    const options = { dev: true, buildFolder };
    const reference = `file:${temporaryFolder()}`;
    const first = await loadCrm(reference, options);
    expect(first).toMatchObject({ ok: true, bundle: { origin: "folder", reference } });
    expect(await loadCrm(reference, options)).toEqual(first);
  });

  test("is refused without --dev, with what to do", async () => {
    const load = loadCrm("file:/policies/crm", { buildFolder });
    expect(await outcomeOf(load)).toBe("bundle_reference_invalid");
    expect(await failureMessage(load)).toMatch(/serve --dev.*bundle push/);
  });

  test("is refused where it does not build, with the builder's words", async () => {
    const load = loadCrm(`file:${temporaryFolder()}`, {
      dev: true,
      buildFolder: () => Promise.reject(new Error("policy.rego:1:1: nonsense")),
    });
    expect(await outcomeOf(load)).toBe("bundle_compile_failed");
    expect(await failureMessage(load)).toContain("policy.rego:1:1: nonsense");
  });

  test("of another server is refused", async () => {
    const options = { dev: true, buildFolder: () => Promise.resolve(tinyFiles({ name: "mail" })) };
    const load = loadCrm(`file:${temporaryFolder()}`, options);
    expect(await outcomeOf(load)).toBe("bundle_name_mismatch");
  });

  test("that is not there is not found", async () => {
    const options = { dev: true, buildFolder };
    expect(await outcomeOf(loadCrm("file:/nowhere/at/all", options))).toBe("bundle_not_found");
  });
});

describe("a bundle that cannot be loaded", () => {
  test("is a value with a code, also for a reference that is none", async () => {
    expect(await outcomeOf(loadCrm("nonsense"))).toBe("bundle_reference_invalid");
    expect(await outcomeOf(loadCrm("oci-layout:/nowhere:crm"))).toBe("bundle_not_found");
  });

  test("for a fault of our own is thrown, so that it is not taken for a registry that is away", async () => {
    const registry = await registryWithBundle();
    registry.misbehave((_, response) =>
      reply(response, 401, { "www-authenticate": "Basic realm=r" }),
    );
    const options = registryOptions({
      credentials: () => {
        throw new RangeError("a bug");
      },
    });
    await expect(loadCrm(registry.reference, { registry: options })).rejects.toThrow("a bug");
  });
});

function buildFolder(): Promise<BundleFiles> {
  return Promise.resolve(tinyFiles());
}
