/**
 * Puts together what the loading of bundles needs: credentials from the config and from Docker, the
 * cache folder, and the way to the Rego toolchain.
 */
import { readFileSync } from "node:fs";
import type { BundleDependencies } from "../../bundle/bundle-dependencies.ts";
import { createCredentialLookup, type Credentials } from "../../bundle/sources/credentials.ts";
import type { RegistryOptions } from "../../bundle/sources/registry-session.ts";
import { systemClock } from "../../config/ambient.ts";
import type { StatePaths } from "../../config/state-paths.ts";
import type { Log } from "../../contract/ambient.ts";
import { buildSourceFolder, buildSources } from "./build-sources.ts";

export interface BundleSetting {
  /** Credentials of the config, by host; empty where there is none. */
  readonly registries: ReadonlyMap<string, Credentials>;
  readonly paths: Pick<StatePaths, "cacheDir" | "dockerConfigPath">;
  /** True lets `file:` references through. */
  readonly dev: boolean;
  readonly log: Log;
}

/** Dependencies of `loadBundle` as the gateway has them. */
export function bundleDependencies(setting: BundleSetting): BundleDependencies {
  return {
    dev: setting.dev,
    cachePath: setting.paths.cacheDir,
    registry: registryOptions(setting),
    compile: buildSources,
    buildFolder: buildSourceFolder,
    log: setting.log,
  };
}

/** How to talk to registries with these credentials. */
export function registryOptions({
  registries,
  paths,
  log,
}: Omit<BundleSetting, "dev">): RegistryOptions {
  const dockerConfigJson = readIfThere(paths.dockerConfigPath);
  return {
    clock: systemClock,
    credentials: createCredentialLookup(registries, dockerConfigJson, log),
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
