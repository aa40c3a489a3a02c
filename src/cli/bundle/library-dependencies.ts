/**
 * What it takes to fetch the libraries of a policy: the logins of the configuration, where there is
 * one, and the cache.
 */
import type { BundleDependencies } from "../../bundle/bundle-dependencies.ts";
import { talkingLog } from "../talking-log.ts";
import type { BundleContext } from "./bundle-context.ts";

/** The way to sources of libraries; what is made of them is somebody else's. */
export function libraryDependencies({
  io,
  registry,
  cachePath,
}: Pick<BundleContext, "io" | "registry" | "cachePath">): BundleDependencies {
  return {
    dev: false,
    cachePath,
    registry,
    env: io.env,
    compile: undefined,
    buildFolder: undefined,
    log: talkingLog(io),
  };
}
