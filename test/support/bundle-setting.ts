/**
 * What tests of bundles share: a clock, a log that remembers, dependencies without a toolchain,
 * folders that go away, and the code of an error.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { BundleDependencies } from "../../src/bundle/bundle-dependencies.ts";
import { loadBundle, type LoadResult } from "../../src/bundle/load-bundle.ts";
import type { RegistryOptions } from "../../src/bundle/sources/registry-session.ts";
import type { Log } from "../../src/contract/ambient.ts";
import { codeOf } from "../../src/errors.ts";
import { startFakeRegistry, layerType, manifestType, type FakeRegistry } from "./fake-registry.ts";
import { tinyArchive } from "./tiny-bundle.ts";

export interface RememberingLog extends Log {
  readonly lines: { readonly level: string; readonly details: object; readonly message: string }[];
}

export function rememberingLog(): RememberingLog {
  const lines: RememberingLog["lines"] = [];
  const at =
    (level: string) =>
    (details: object, message: string): void => {
      lines.push({ level, details, message });
    };
  const log: RememberingLog = {
    lines,
    error: at("error"),
    warn: at("warn"),
    info: at("info"),
    debug: at("debug"),
    child: () => log,
  };
  return log;
}

/** Quick repetitions and no credentials. */
export function registryOptions(overrides: Partial<RegistryOptions> = {}): RegistryOptions {
  return {
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    credentials: () => undefined,
    retryDelayMs: 5,
    stepTimeoutMs: 2000,
    deadlineMs: 10_000,
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
    log: rememberingLog(),
    ...overrides,
  };
}

/** A new folder that goes away with the test. */
export async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "bundle-test-"));
  onTestFinished(async () => {
    await rm(path, { recursive: true, force: true });
  });
  return path;
}

/** A fake registry that goes away with the test, with the tiny bundle at `policies/crm:v1`. */
export async function registryWithBundle(
  archive: Buffer = tinyArchive(),
): Promise<FakeRegistry & { readonly reference: string; readonly digest: string }> {
  const registry = await startFakeRegistry();
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

/** Loads `crm` as a server's bundle. */
export async function loadCrm(
  reference: string,
  overrides: Partial<BundleDependencies> = {},
): Promise<LoadResult> {
  return await loadBundle("crm", "server", reference, dependencies(overrides));
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
