/**
 * The shape of what is said about a canary, and its limits filled in.
 */
import * as z from "zod/mini";
import type { CanaryLimits } from "./canary-limits.ts";
import { durationSchema, parseDurationMs } from "./duration.ts";

const percent = z.number().check(z.minimum(0.01), z.maximum(100));

const abortSchema = z.strictObject({
  denied_principals_percent: z
    ._default(percent, 20)
    .check(z.describe("Share of the selected principals that only the canary denied something")),
  error_percent: z
    ._default(percent, 1)
    .check(z.describe("Share of the canary's evaluations that failed")),
  latency_ms: z
    ._default(z.number().check(z.minimum(0.1), z.maximum(3_600_000)), 50)
    .check(z.describe("95th percentile of the canary's own evaluation time")),
  min_principals: z
    ._default(z.int().check(z.minimum(2), z.maximum(1000)), 5)
    .check(z.describe("Selected principals that have to be seen before their share counts")),
  min_evaluations: z
    ._default(z.int().check(z.minimum(20), z.maximum(100_000)), 100)
    .check(z.describe("Evaluations that have to be seen before errors and times count")),
  window: z._default(durationSchema, "15m").check(z.describe("How far back is looked, 1m to 24h")),
});

/** Everything of a canary but its policy. */
export const canaryShape = {
  percent: percent.check(z.describe("Share of principals that it is tried on")),
  abort: z.prefault(abortSchema, {}).check(z.describe("When it is taken out by itself")),
};

/** How long a window may be; `canary` rules refuse others. */
export const canaryWindowMs = { least: 60_000, most: 86_400_000 } as const;

/** The limits of a checked canary. */
export function resolveCanaryLimits(abort: z.output<typeof abortSchema>): CanaryLimits {
  return {
    deniedPrincipalsPercent: abort.denied_principals_percent,
    errorPercent: abort.error_percent,
    latencyMs: abort.latency_ms,
    minPrincipals: abort.min_principals,
    minEvaluations: abort.min_evaluations,
    windowMs: parseDurationMs(abort.window),
  };
}
