/**
 * What commands need that check a source as a gateway would, without one.
 */
import type { SourceCheckDeps } from "../../bundle/lock/lock-source.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import type { CliIo } from "../io.ts";
import { talkingLog } from "../talking-log.ts";
import { buildSources, testSources } from "./build-sources.ts";
import { bundleDependencies } from "./gateway-bundles.ts";

/** With the logins of the configuration; `file:` only where `dev` says so. */
export function sourceCheckDeps(
  io: CliIo,
  { registries }: Pick<GatewayConfig, "registries">,
  dev = false,
): SourceCheckDeps {
  const paths = resolveStatePaths(io.env, io.cwd);
  const setting = { registries, paths, env: io.env, dev, log: talkingLog(io) };
  const dependencies = bundleDependencies(setting);
  return {
    ...dependencies,
    compile: buildSources,
    cachePath: paths.cacheDir,
    test: testSources,
  };
}
