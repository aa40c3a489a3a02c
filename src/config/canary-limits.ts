/**
 * What ends a canary, as the rest of the gateway sees it.
 */

/** What ends a canary by itself. */
export interface CanaryLimits {
  /** Share of the selected principals that were denied something because of it. */
  readonly deniedPrincipalsPercent: number;
  /** Share of its evaluations that failed. */
  readonly errorPercent: number;
  /** 95th percentile of the time of its evaluations. */
  readonly latencyMs: number;
  /** Principals that have to be seen before their share says anything. */
  readonly minPrincipals: number;
  /** Evaluations that have to be seen before errors and times say anything. */
  readonly minEvaluations: number;
  readonly windowMs: number;
}
