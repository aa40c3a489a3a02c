/**
 * `metrics` and `telemetry` in the configuration: who may read how the gateway does without asking the
 * admin interface, and where it tells it by itself.
 */
import * as z from "zod/mini";
import type { AdminAddress } from "./admin-config.ts";
import { valueAt } from "./config-document.ts";
import type { Finding } from "./config-document.ts";
import { durationSchema, parseDurationMs } from "./duration.ts";
import type { MetricsConfig, OtlpConfig } from "./telemetry-config.ts";

const text = z.string().check(z.minLength(1));
const leastIntervalMs = 1000;

/** The member `metrics`. */
export const metricsSchema = z.prefault(
  z.strictObject({
    listen: z
      .optional(text)
      .check(z.describe("HOST:PORT that answers GET /metrics, to everybody who reaches it")),
  }),
  {},
);

const otlp = z.strictObject({
  endpoint: text.check(z.describe("Base URL of an OTLP/HTTP collector, http://127.0.0.1:4318")),
  headers: z
    ._default(z.record(text, z.string()), {})
    .check(z.describe("Sent with each request; each value is ${env:…} or ${file:…}")),
  interval: z
    ._default(durationSchema, "15s")
    .check(z.describe("How often metrics are sent; spans are sent at least so often")),
  sample_ratio: z
    ._default(z.number().check(z.minimum(0), z.maximum(1)), 1)
    .check(z.describe("Share of requests that are traced where the caller does not say")),
});

/** The member `telemetry`. */
export const telemetrySchema = z.prefault(z.strictObject({ otlp: z.optional(otlp) }), {});

/** From the file's names to the code's. */
export function resolveMetrics({ listen }: z.output<typeof metricsSchema>): MetricsConfig {
  return { listen: addressOf(listen) };
}

/** From the file's names to the code's. */
export function resolveOtlp({
  otlp: told,
}: z.output<typeof telemetrySchema>): OtlpConfig | undefined {
  if (told === undefined) return undefined;
  const { endpoint, headers, interval, sample_ratio: sampleRatio } = told;
  const intervalMs = Math.max(leastIntervalMs, parseDurationMs(interval));
  return { endpoint: endpoint.replace(/\/+$/, ""), headers, intervalMs, sampleRatio };
}

/** What a shape cannot say. */
export function telemetryFindings(value: unknown): readonly Finding[] {
  return [...listenFindings(value), ...endpointFindings(value)];
}

function listenFindings(value: unknown): readonly Finding[] {
  const path = ["metrics", "listen"];
  const listen = valueAt(value, path);
  if (typeof listen !== "string" || listen === "" || addressOf(listen) !== undefined) return [];
  return [{ path, message: "metrics.listen: expected HOST:PORT, such as 127.0.0.1:9464" }];
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function endpointFindings(value: unknown): readonly Finding[] {
  const path = ["telemetry", "otlp", "endpoint"];
  const endpoint = valueAt(value, path);
  if (typeof endpoint !== "string" || endpoint === "") return [];
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isBare =
    url?.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (url === undefined || !isBare || !/^https?:$/.test(url.protocol)) {
    const expected = "expected an http:// or https:// URL without login, query and fragment";
    return [{ path, message: `telemetry.otlp.endpoint: ${expected}` }];
  }
  const headers = valueAt(value, ["telemetry", "otlp", "headers"]);
  const hasHeaders = Object.keys(Object(headers)).length > 0;
  if (url.protocol === "https:" || loopback.test(url.hostname) || !hasHeaders) return [];
  const message =
    "telemetry.otlp.endpoint: expected an https:// URL beside telemetry.otlp.headers, found http://";
  return [{ path, message }];
}

function addressOf(text: string | undefined): AdminAddress | undefined {
  const [, host, digits] = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text ?? "") ?? [];
  const port = Number(digits);
  if (host === undefined || !(port <= 65_535)) return undefined;
  return { host: host.replace(/^\[|\]$/g, ""), port };
}
