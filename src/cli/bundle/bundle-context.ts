/**
 * What the `bundle` commands share: the configuration where there is one, credentials and cache.
 */
import { BundleError } from "../../bundle/bundle-error.ts";
import type { BundleCache } from "../../bundle/cache.ts";
import { openCache } from "../../bundle/cache.ts";
import type { ArtifactReference } from "../../bundle/reference.ts";
import { formatReference, parseReference, resolveReference } from "../../bundle/reference.ts";
import type { RegistryOptions } from "../../bundle/sources/registry-session.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { ConfigError } from "../../config/config-error.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import { loadConfigFor } from "../common-options.ts";
import type { CliIo } from "../io.ts";
import { talkingLog } from "../talking-log.ts";
import { registryOptions } from "./gateway-bundles.ts";

export interface BundleContext {
  readonly io: CliIo;
  /** `undefined` where no configuration was found and none was asked for. */
  readonly config: GatewayConfig | undefined;
  readonly registry: RegistryOptions;
  readonly cache: BundleCache;
  /** Folder of the cache. */
  readonly cachePath: string;
}

/** The context of one command. */
export function createBundleContext(io: CliIo, configPath: string | undefined): BundleContext {
  const config = loadConfigIfAny(io, configPath);
  const paths = resolveStatePaths(io.env, io.cwd);
  const log = talkingLog(io);
  const registries = config?.registries ?? new Map();
  const registry = registryOptions({ registries, paths, env: io.env, log });
  const cachePath = paths.cacheDir;
  return { io, config, registry, cache: openCache(cachePath, log), cachePath };
}

/** Reads a reference of the command line; paths are meant relative to the current folder. */
export function artifactReference(io: CliIo, text: string): ArtifactReference {
  const reference = resolveReference(parseReference(text), io.cwd);
  if (reference.scheme === "oci" || reference.scheme === "oci-layout") return reference;
  const found =
    reference.scheme === "file" ? "file:, which is a folder of sources and no bundle" : "another";
  throw new BundleError(
    "bundle_reference_invalid",
    `bundle reference "${formatReference(reference)}": expected oci:// or oci-layout:, found ${found}`,
  );
}

function loadConfigIfAny(io: CliIo, path: string | undefined): GatewayConfig | undefined {
  try {
    return loadConfigFor(io, path).config;
  } catch (thrown) {
    const isNone = thrown instanceof ConfigError && thrown.code === "config_not_found";
    if (isNone && path === undefined) return undefined;
    throw thrown;
  }
}
