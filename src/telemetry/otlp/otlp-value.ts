/**
 * What all OTLP documents have in common in their JSON form: attributes, times, who sends.
 */
import type { AttributeValue } from "../tracing/span.ts";

/** Who sends: `service.name` and the like. */
export type Resource = Readonly<Record<string, string>>;

/** Attributes as a list of keys and typed values. */
export function encodeAttributes(attributes: Readonly<Record<string, AttributeValue>>) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: encodeValue(value) }));
}

/** Nanoseconds since the epoch, as 64-bit numbers are written in JSON. */
export function encodeTime(timeMs: number): string {
  return String(BigInt(Math.round(timeMs * 1000)) * 1000n);
}

/** The instrumentation scope of everything that is sent. */
export function scopeOf(version: string) {
  return { name: "mcp-gateway", version };
}

function encodeValue(value: AttributeValue): object {
  switch (typeof value) {
    case "string":
      return { stringValue: value };
    case "boolean":
      return { boolValue: value };
    case "number":
      return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
    default:
      return { arrayValue: { values: value.map((each) => ({ stringValue: each })) } };
  }
}
