/**
 * The input schema with the counters that a manifest declares. A rule that reads another name, or
 * another member of a counter, would be undefined at every call, and a `deny` that is undefined lets
 * the call pass.
 */
import { isRecord } from "../contract/json.ts";
import type { PolicyManifest } from "./create-rego-toolchain.ts";

const reading = {
  type: "object",
  additionalProperties: false,
  properties: {
    used: { type: "number" },
    limit: { type: "number" },
    remaining: { type: "number" },
    resets_at: { type: ["string", "null"] },
  },
};

/** `schema` as it is where the manifest declares no counter: the bundle may take names from others. */
export function narrowUsage(schema: unknown, manifest: PolicyManifest | undefined): unknown {
  const counters = manifest?.metadata?.["counters"];
  if (!isRecord(counters) || Object.keys(counters).length === 0) return schema;
  if (!isRecord(schema) || !isRecord(schema["properties"])) return schema;
  const properties = Object.fromEntries(Object.keys(counters).map((name) => [name, reading]));
  const usage = { type: "object", additionalProperties: false, properties };
  return { ...schema, properties: { ...schema["properties"], usage } };
}
