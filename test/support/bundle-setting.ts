/**
 * What tests of bundles share: a clock, dependencies without a toolchain, a registry with a bundle,
 * and the code of an error.
 */
import type { ServerOptions } from "node:https";
import { onTestFinished } from "vitest";
import type { BundleDependencies } from "../../src/bundle/bundle-dependencies.ts";
import { openArchive } from "../../src/bundle/archive.ts";
import { BundleError } from "../../src/bundle/bundle-error.ts";
import { openBundle } from "../../src/bundle/open-bundle.ts";
import { fetchCurrent } from "../../src/bundle/sources/fetch-current.ts";
import type { RegistryOptions } from "../../src/bundle/sources/registry-session.ts";
import type { Bundle } from "../../src/contract/bundle.ts";
import { codeOf } from "../../src/errors.ts";
import { startFakeRegistry, layerType, manifestType } from "./fake-registry.ts";
import type { FakeRegistry } from "./fake-registry.ts";
import { tinyArchive } from "./tiny-bundle.ts";
import { createTestLog } from "./log.ts";

/** Quick repetitions and no credentials. */
export function registryOptions(overrides: Partial<RegistryOptions> = {}): RegistryOptions {
  return {
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    credentials: () => undefined,
    retryDelayMs: 5,
    stepTimeoutMs: 20_000,
    deadlineMs: 60_000,
    ...overrides,
  };
}

export function dependencies(overrides: Partial<BundleDependencies> = {}): BundleDependencies {
  return {
    dev: false,
    cachePath: undefined,
    registry: registryOptions(),
    compile: undefined,
    buildFolder: undefined,
    log: createTestLog(),
    ...overrides,
  };
}

/** A fake registry that goes away with the test, with the tiny bundle at `policies/crm:v1`. */
export async function registryWithBundle(
  archive: Buffer = tinyArchive(),
  tls?: ServerOptions,
): Promise<FakeRegistry & { readonly reference: string; readonly digest: string }> {
  const registry = await startFakeRegistry(tls);
  onTestFinished(registry.close);
  const digest = registry.putManifest("v1", bundleManifest(registry, archive));
  return { ...registry, reference: `oci://${registry.host}/policies/crm:v1`, digest };
}

/** A manifest in OPA's form around an archive that the registry then has. */
export function bundleManifest(registry: FakeRegistry, archive: Buffer): object {
  const empty = Buffer.from("{}");
  return {
    schemaVersion: 2,
    mediaType: manifestType,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: registry.putBlob(empty),
      size: empty.length,
    },
    layers: [{ mediaType: layerType, digest: registry.putBlob(archive), size: archive.length }],
  };
}

/** A bundle, or why there is none. */
export type LoadResult =
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly error: BundleError };

/** Fetches and opens what a source has now as the bundle of the server `crm`, and keeps it. */
export async function loadCrm(
  reference: string,
  overrides: Partial<BundleDependencies> = {},
): Promise<LoadResult> {
  const given = dependencies(overrides);
  try {
    const fetched = await fetchCurrent(reference, { kind: "server" }, given);
    const { digest, origin } = fetched;
    const about = { name: "crm", kind: "server", reference, digest, origin } as const;
    const bundle = await openBundle(openArchive(fetched.archive), about, given.compile);
    await fetched.keep();
    return { ok: true, bundle };
  } catch (thrown) {
    if (thrown instanceof BundleError) return { ok: false, error: thrown };
    throw thrown;
  }
}

/** `ok`, or the code of the failure. */
export async function outcomeOf(result: Promise<LoadResult>): Promise<string> {
  const settled = await result;
  return settled.ok ? "ok" : settled.error.code;
}

/** The message of a failed load. */
export async function failureMessage(result: Promise<LoadResult>): Promise<string> {
  const settled = await result;
  if (settled.ok) throw new Error("expected a failure, found a bundle");
  return settled.error.message;
}

/** Code of what a function throws, `undefined` where it throws nothing. */
export function thrownCode(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (thrown) {
    return codeOf(thrown) ?? "no code";
  }
}
