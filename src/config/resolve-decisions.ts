/**
 * What the configuration says about the decision record, filled in.
 */
import { resolve } from "node:path";
import type { GatewayConfig } from "./config.ts";
import type { ConfigFile } from "./config-schema.ts";
import { parseDurationMs } from "./duration.ts";
import { resolveExport } from "./export-schema.ts";
import { resolveMasking } from "./masking-schema.ts";

const leastCheckpointMs = 1000;

/** `folder`: of the configuration file, which relative paths begin at. */
export function resolveDecisions(
  folder: string,
  decisions: ConfigFile["decisions"],
): GatewayConfig["decisions"] {
  const { store, durability, on_failure: onFailure, spool_max_bytes: limit } = decisions;
  const { folder: kept, key, every } = decisions.checkpoints;
  const { payload_days: payloadDays, header_days: headerDays } = decisions.retention;
  const embedded = store === "embedded";
  return {
    store: embedded ? { kind: "embedded" } : { kind: "postgres", url: store },
    durability,
    onFailure,
    spoolMaxBytes: limit ?? (embedded ? Number.MAX_SAFE_INTEGER : 1_073_741_824),
    checkpoints: {
      folder: kept === undefined ? undefined : resolve(folder, kept),
      key,
      everyMs: Math.max(leastCheckpointMs, parseDurationMs(every)),
    },
    masking: resolveMasking(decisions.masking),
    retention: { payloadDays, headerDays },
    export: resolveExport(decisions.export),
  };
}
