/**
 * Sources whose bundle may be opaque: compiled, without the sources that it was compiled from.
 */
import { valueAt } from "./config-document.ts";
import type { ConfigPath } from "./config-document.ts";
import { policyPaths } from "./policy-paths.ts";

/** Where `opaque: "accept"` is said, and as what a posture names it. */
export function opaqueSources(
  value: unknown,
): readonly { readonly path: ConfigPath; readonly name: string }[] {
  return policyPaths(value).flatMap(({ owner, name, keys }) => {
    const path = [...owner, ...keys, "opaque"];
    if (valueAt(value, path) !== "accept") return [];
    return [{ path, name: [owner[0], name, ...keys, "opaque"].join(".") }];
  });
}
