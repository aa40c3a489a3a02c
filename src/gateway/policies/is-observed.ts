/**
 * Whether what a layer refuses is only recorded. The operator says so in the configuration, with an
 * end; a bundle cannot say it of itself.
 */
import type { GatewayConfig } from "../../config/config.ts";
import type { LayerIdentity } from "../../contract/layer.ts";

/** True until the end of `observe`; then the layer is enforced, without anybody's doing. */
export function isObserved(
  { layers }: Pick<GatewayConfig, "layers">,
  { name, kind }: Pick<LayerIdentity, "name" | "kind">,
  nowMs: number,
): boolean {
  if (kind === "server") return false;
  const until = layers.find((layer) => layer.name === name)?.observedUntilMs;
  return until !== undefined && nowMs < until;
}
