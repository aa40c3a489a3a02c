/**
 * Whether what is only observed still is: after its `until` a layer is enforced, and the configuration
 * still reads as if it were not.
 */
import type { ConfigProblem } from "../../config/config-error.ts";
import type { LoadedConfig } from "../../config/load-config.ts";

/** Layers whose time of being observed has ended by `nowMs`. */
export function checkObserved(
  loaded: Pick<LoadedConfig, "config" | "problemAt">,
  nowMs: number,
): readonly ConfigProblem[] {
  return loaded.config.layers.flatMap(({ name, observedUntilMs }, index) => {
    if (observedUntilMs === undefined || observedUntilMs > nowMs) return [];
    const path = ["layers", index, "until"];
    const message = `${path.join(".")}: the layer "${name}" is enforced since then; take mode and until away, or name a later time`;
    return [loaded.problemAt(path, message)];
  });
}
