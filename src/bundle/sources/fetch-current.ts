/**
 * What a source has now, once; keeping up to date is somebody else's.
 */
import type { BundleDependencies } from "../bundle-dependencies.ts";
import type { FetchedBundle } from "./bundle-source.ts";
import type { SourceSetting } from "./open-bundle-source.ts";
import { openBundleSource } from "./open-bundle-source.ts";

/**
 * Asks a source and fetches what it says. Its signatures, if any, can be read no more.
 *
 * @param reference - paths absolute
 * @throws BundleError
 */
export async function fetchCurrent(
  reference: string,
  setting: SourceSetting,
  dependencies: BundleDependencies,
): Promise<FetchedBundle> {
  const source = await openBundleSource(reference, setting, dependencies);
  const { signal } = new AbortController();
  try {
    const polled = await source.poll(undefined, signal);
    if (polled.kind === "failed") throw polled.error;
    if (polled.kind === "unchanged")
      throw new TypeError("nothing is known that could be unchanged");
    const fetched = await source.fetch(polled.version, signal);
    await fetched.close();
    return fetched;
  } finally {
    source.close();
  }
}
