/**
 * What the configuration says about metrics and traces, as the gateway reads it.
 */
import type { AdminAddress } from "./admin-config.ts";

export interface MetricsConfig {
  /** Answers everybody who reaches it; `undefined`: the admin interface alone has metrics. */
  readonly listen: AdminAddress | undefined;
}

/** Where metrics and spans are sent. */
export interface OtlpConfig {
  /** Base URL without a slash at its end. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  /** In [0, 1], of requests whose caller says nothing. */
  readonly sampleRatio: number;
}
