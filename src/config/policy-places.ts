/**
 * Every place of a configuration that may have a policy: its servers and the organisation's layers.
 * Whoever walks over policies walks over these, in this order.
 */
import type { LayerKind } from "../contract/bundle.ts";
import type { ConfigPath } from "./config-document.ts";
import type { GatewayConfig, PolicySource } from "./config.ts";

/** A server or layer of the configuration. */
export interface PolicyPlace {
  readonly name: string;
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

/** All servers, disabled ones too, and layers, in the order of the file. */
export function policyPlaces({
  servers,
  layers,
}: Pick<GatewayConfig, "servers" | "layers">): readonly PolicyPlace[] {
  return [
    ...[...servers.values()].map(
      ({ id, policy, disabled: isDisabled }) =>
        ({
          name: id,
          kind: "server",
          policy,
          isDisabled,
          path: ["servers", id, "policy"],
        }) as const,
    ),
    ...layers.map(
      ({ name, kind, policy }, index) =>
        ({ name, kind, policy, isDisabled: false, path: ["layers", index, "policy"] }) as const,
    ),
  ];
}

/** Those that are served and have a policy. */
export function servedPolicies(
  config: Pick<GatewayConfig, "servers" | "layers">,
): readonly PlaceWithPolicy[] {
  return policyPlaces(config).flatMap(({ policy, ...place }) =>
    policy === undefined || place.isDisabled ? [] : [{ ...place, policy }],
  );
}
