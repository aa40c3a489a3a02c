/**
 * Sources whose bundle may be opaque: compiled, without the sources that it was compiled from.
 */
import { membersOf, valueAt } from "./config-document.ts";
import type { ConfigPath } from "./config-document.ts";

/** Where `opaque: "accept"` is said, and as what a posture names it. */
export function opaqueSources(
  value: unknown,
): readonly { readonly path: ConfigPath; readonly name: string }[] {
  const layers = valueAt(value, ["layers"]);
  const owners = [
    ...membersOf(value, ["servers"]).map(([id]) => ({ owner: ["servers", id], name: id })),
    ...(Array.isArray(layers) ? layers : []).map((layer: unknown, index) => ({
      owner: ["layers", index],
      name: String(valueAt(layer, ["name"])),
    })),
  ];
  return owners.flatMap(({ owner, name }) => {
    const path = [...owner, "policy", "opaque"];
    if (valueAt(value, path) !== "accept") return [];
    return [{ path, name: `${owner[0]}.${name}.policy.opaque` }];
  });
}
