/**
 * Metrics for whoever scrapes them, in the text format of Prometheus.
 */
import type { AdminRoute } from "../admin-route.ts";
import { prometheusContentType, prometheusText } from "../../telemetry/metrics/prometheus-text.ts";
import type { MetricRegistry } from "../../telemetry/metrics/metric-registry.ts";

/** `GET /metrics`. */
export function metricsRoutes(registry: Pick<MetricRegistry, "read">): readonly AdminRoute[] {
  return [
    {
      method: "GET",
      path: "/metrics",
      role: "viewer",
      answer: async () => ({
        status: 200,
        body: prometheusText(await registry.read()),
        contentType: prometheusContentType,
      }),
    },
  ];
}
