/**
 * The posture of a configuration at a time: an observation that has ended weakens nothing, so it is not
 * named, although the file still says it.
 */
import type { GatewayConfig } from "./config.ts";

const trial = "trial:";

/** `strict`, or `trial:` with the settings that weaken it now. */
export function postureAt(
  { posture, layers }: Pick<GatewayConfig, "posture" | "layers">,
  nowMs: number,
): string {
  if (!posture.startsWith(trial)) return posture;
  const ended = layers
    .filter(({ observedUntilMs: untilMs }) => untilMs !== undefined && nowMs >= untilMs)
    .map(({ name }) => observedName(name));
  if (ended.length === 0) return posture;
  const named = posture.slice(trial.length).split(",");
  const left = named.filter((setting) => !ended.includes(setting));
  return `${trial}${left.join(",") || "none"}`;
}

function observedName(layer: string): string {
  return `layers.${layer}.mode=observe`;
}
