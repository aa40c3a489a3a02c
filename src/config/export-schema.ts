/**
 * `decisions.export` in the configuration: where a gateway sends decisions by itself. Names are those
 * of `decision export` and of OPA's own `decision_logs`.
 */
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import { valueAt } from "./config-document.ts";
import type { Finding } from "./config-document.ts";
import type { ExportConfig } from "./decisions-config.ts";
import { durationSchema, parseDurationMs } from "./duration.ts";
import { isHttpsOrHere } from "./is-https-or-here.ts";

const text = z.string().check(z.minLength(1));
const leastDelayMs = 100;

/** The member `decisions.export`. */
export const exportSchema = z.strictObject({
  to: text.check(z.describe("https:// URL of a receiver, file:///PATH, or stdout")),
  format: z
    ._default(z.enum(["opa", "jsonl"]), "opa")
    .check(z.describe("opa: decisions as OPA logs them; jsonl: every record, not over HTTP")),
  headers: z
    ._default(z.record(text, z.string()), {})
    .check(z.describe("Sent with each request; each value is ${env:…} or ${file:…}")),
  upload_size_limit_bytes: z
    ._default(z.int().check(z.minimum(1024), z.maximum(67_108_864)), 1_048_576)
    .check(z.describe("What is sent at once, before gzip; a larger event goes alone")),
  buffer_size_limit_bytes: z
    ._default(z.int().check(z.minimum(65_536), z.maximum(Number.MAX_SAFE_INTEGER)), 1_073_741_824)
    .check(z.describe("With Postgres: what is kept on disk for a target that is away")),
  min_delay: z
    ._default(durationSchema, "1s")
    .check(z.describe("Between two looks for what is new; the first delay after a failure")),
  max_delay: z._default(durationSchema, "1m").check(z.describe("The longest after failures")),
});

/** From the file's names to the code's. */
export function resolveExport(
  entry: z.output<typeof exportSchema> | undefined,
): ExportConfig | undefined {
  if (entry === undefined) return undefined;
  const minDelayMs = Math.max(leastDelayMs, parseDurationMs(entry.min_delay));
  return {
    to: targetOf(entry.to),
    format: entry.format,
    headers: entry.headers,
    uploadSizeLimitBytes: entry.upload_size_limit_bytes,
    bufferSizeLimitBytes: entry.buffer_size_limit_bytes,
    minDelayMs,
    maxDelayMs: Math.max(minDelayMs, parseDurationMs(entry.max_delay)),
  };
}

function targetOf(to: string): ExportConfig["to"] {
  if (to === "stdout") return { kind: "stdout" };
  if (to.startsWith("file:")) return { kind: "file", path: fileURLToPath(to) };
  return { kind: "http", url: new URL(to).href };
}

const place = ["decisions", "export"];

/** What a shape cannot say. */
export function exportFindings(value: unknown): readonly Finding[] {
  const to = valueAt(value, [...place, "to"]);
  if (typeof to !== "string" || to === "") return [];
  const isFile = isFileUrl(to);
  if (to !== "stdout" && !isFile && !isReceiver(to)) {
    const expected = `expected "stdout", file:///PATH, or https:// (http:// on this machine) without login and fragment`;
    return [finding("to", expected)];
  }
  if (to === "stdout" || isFile) return receiverOnlyFindings(value);
  if (valueAt(value, [...place, "format"]) !== "jsonl") return [];
  return [finding("format", 'expected "opa" where decisions.export.to is a URL of a receiver')];
}

function receiverOnlyFindings(value: unknown): readonly Finding[] {
  const headers = Object.keys(Object(valueAt(value, [...place, "headers"])));
  if (headers.length === 0) return [];
  return [finding("headers", "expected none where decisions.export.to is no URL of a receiver")];
}

function finding(key: string, message: string): Finding {
  return { path: [...place, key], message: `decisions.export.${key}: ${message}` };
}

function isFileUrl(to: string): boolean {
  if (!/^file:\/\/\/.*[^/]$/.test(to) || !URL.canParse(to)) return false;
  const { search, hash, pathname } = new URL(to);
  return search === "" && hash === "" && !/%2f|%00/i.test(pathname);
}

function isReceiver(to: string): boolean {
  return isHttpsOrHere(to) && new URL(to).hash === "";
}
