/**
 * Where a configuration file may say where a policy comes from: of each server and layer its own, and
 * those that are tried beside it. For rules, which look at a value that may have any shape.
 */
import { membersOf, valueAt } from "./config-document.ts";
import type { ConfigPath } from "./config-document.ts";

/** A source of policy in the file, whether it is there or not. */
export interface PolicyPath {
  /** Of the server or layer. */
  readonly owner: ConfigPath;
  /** Server id or layer name. */
  readonly name: string;
  /** From the owner to the source. */
  readonly keys: readonly string[];
}

const sourceKeys: readonly (readonly string[])[] = [["policy"], ["shadow"], ["canary", "policy"]];

/** All of them, in the order of the file. */
export function policyPaths(value: unknown): readonly PolicyPath[] {
  return policyOwners(value).flatMap((one) => sourceKeys.map((keys) => ({ ...one, keys })));
}

/** Servers and layers. */
export function policyOwners(value: unknown): readonly Omit<PolicyPath, "keys">[] {
  const layers = valueAt(value, ["layers"]);
  return [
    ...membersOf(value, ["servers"]).map(([id]) => ({ owner: ["servers", id], name: id })),
    ...(Array.isArray(layers) ? layers : []).map((layer: unknown, index) => ({
      owner: ["layers", index],
      name: String(valueAt(layer, ["name"])),
    })),
  ];
}
