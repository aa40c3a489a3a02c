/**
 * Every place of a configuration that may have a policy: its servers and the organisation's layers,
 * and what is tried beside one of them. Whoever walks over policies walks over these, in this order.
 */
import type { LayerKind } from "../contract/bundle.ts";
import type { PlaceRole } from "../contract/place-role.ts";
import { companionName } from "../contract/place-role.ts";
import type { ConfigPath } from "./config-document.ts";
import type { CanaryConfig, GatewayConfig, PolicySource } from "./config.ts";

/** A server or layer of the configuration, or a companion of one. */
export interface PolicyPlace {
  /** Server id or layer name; of a companion with its role behind it, `compliance~shadow`. */
  readonly name: string;
  /** Server or layer that it belongs to, after which its bundle has to be named; of most `name`. */
  readonly base: string;
  readonly role: PlaceRole;
  readonly kind: LayerKind;
  /** `undefined`: its calls are denied. */
  readonly policy: PolicySource | undefined;
  /** Of a server: it is not served. */
  readonly isDisabled: boolean;
  /** Of `policy` in the file. */
  readonly path: ConfigPath;
}

/** A place that has a policy. */
export interface PlaceWithPolicy extends PolicyPlace {
  readonly policy: PolicySource;
}

/** All servers, disabled ones too, and layers, in the order of the file, companions behind each. */
export function policyPlaces({
  servers,
  layers,
}: Pick<GatewayConfig, "servers" | "layers">): readonly PolicyPlace[] {
  return [
    ...[...servers.values()].flatMap((server) => {
      const { id, policy, disabled: isDisabled } = server;
      const place = { name: id, kind: "server", isDisabled } as const;
      return placesOf({ ...place, policy, path: ["servers", id] }, server);
    }),
    ...layers.flatMap((layer, index) => {
      const { name, kind, policy } = layer;
      return placesOf({ name, kind, policy, isDisabled: false, path: ["layers", index] }, layer);
    }),
  ];
}

/** Those that decide by themselves: one for each server and layer. */
export function basePlaces(
  config: Pick<GatewayConfig, "servers" | "layers">,
): readonly PolicyPlace[] {
  return policyPlaces(config).filter(({ role }) => role === "policy");
}

/** Those that are served and have a policy. */
export function servedPolicies(
  config: Pick<GatewayConfig, "servers" | "layers">,
): readonly PlaceWithPolicy[] {
  return policyPlaces(config).flatMap(({ policy, ...place }) =>
    policy === undefined || place.isDisabled ? [] : [{ ...place, policy }],
  );
}

interface Companions {
  readonly shadow?: PolicySource | undefined;
  readonly canary?: CanaryConfig | undefined;
}

function placesOf(
  { path, ...place }: Omit<PolicyPlace, "base" | "role">,
  { shadow, canary }: Companions,
): readonly PolicyPlace[] {
  const base = place.name;
  const own = { ...place, base, role: "policy", path: [...path, "policy"] } as const;
  const companion = (
    role: "shadow" | "canary",
    policy: PolicySource | undefined,
    ...keys: readonly string[]
  ): readonly PolicyPlace[] =>
    policy === undefined
      ? []
      : [{ ...own, name: companionName(base, role), role, policy, path: [...path, ...keys] }];
  return [
    own,
    ...companion("canary", canary?.policy, "canary", "policy"),
    ...companion("shadow", shadow, "shadow"),
  ];
}
