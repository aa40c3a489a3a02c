/**
 * Whether what a layer refuses is only recorded. The operator says so in the configuration, with an
 * end; a bundle cannot say it of itself. A canary is watched as its layer is.
 */
import type { GatewayConfig } from "../../config/config.ts";
import type { LayerIdentity } from "../../contract/layer.ts";
import { baseName } from "../../contract/layer.ts";

/** True until the end of `observe`; then the layer is enforced, without anybody's doing. */
export function isObserved(
  { layers }: Pick<GatewayConfig, "layers">,
  layer: Pick<LayerIdentity, "name" | "kind" | "canaryOf">,
  nowMs: number,
): boolean {
  if (layer.kind === "server") return false;
  const until = layers.find(({ name }) => name === baseName(layer))?.observedUntilMs;
  return until !== undefined && nowMs < until;
}
