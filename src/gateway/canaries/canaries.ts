/**
 * What the rest of the gateway has to know of canaries: who is not asked about whom, and where to say
 * how they did.
 */
import type { GatewayConfig } from "../../config/config.ts";
import type { LayerIdentity } from "../../contract/layer.ts";
import type { Principal } from "../../contract/principal.ts";
import type { CanaryRun } from "../../policy/engine/policy-engine.ts";
import { unaskedLayers } from "../policies/unasked-layers.ts";

/** Canaries beside the layers of a gateway. */
export interface Canaries {
  /** Names of layers and canaries that are not asked about what this principal does with a server. */
  readonly unasked: (principal: Principal, server: string) => readonly string[];
  /** Says how canaries did; `isDenied`: without this one it would not have been denied, or hidden. */
  readonly note: (
    principal: Principal,
    runs: readonly CanaryRun[],
    isDenied: (canary: LayerIdentity) => boolean,
  ) => void;
  /** Resolves when it is known which of them are out; it never rejects. */
  readonly ready: Promise<void>;
  readonly close: () => Promise<void>;
}

/** The same canaries, for a question that is no decision: nothing that comes of it is counted. */
export function quietCanaries(canaries: Canaries): Canaries {
  return { ...canaries, note: () => {}, close: async () => {} };
}

/** Where a configuration has none. */
export function noCanaries(config: GatewayConfig): Canaries {
  return {
    unasked: ({ agent }, server) => unaskedLayers(config, agent, server),
    note: () => {},
    ready: Promise.resolve(),
    close: async () => {},
  };
}
