/**
 * Names of counters in a store: JSON text of tenant, layer, counter, window and the values of its
 * key. Nothing in it can be made to look like another one, and a list of all counters of a tenant is
 * a prefix. A counter whose window or key changes in a new revision is a new counter; one whose limit
 * changes is not.
 */
import type { CounterDeclaration, CounterKeyField } from "../../contract/counter.ts";
import { isRecord } from "../../contract/json.ts";

/** What a counter is for; a layer's name is its namespace. */
export interface CounterName {
  readonly tenant: string;
  readonly layer: string;
  readonly counter: string;
  /** `fixed:60000`, `sliding:60000`, `none`. */
  readonly window: string;
  /** Verified values by field. */
  readonly key: Readonly<Record<string, string>>;
}

/** Values of every field that a key may name. */
export type KeyValues = Readonly<Record<CounterKeyField, string>>;

/** The key of one counter for one set of values. */
export function counterKey(
  layer: string,
  { name, key, window }: CounterDeclaration,
  values: KeyValues,
): string {
  const named = Object.fromEntries(key.map((field) => [field, values[field]]));
  const span = window.type === "none" ? "none" : `${window.type}:${window.ms}`;
  return JSON.stringify([values.tenant, layer, name, span, named]);
}

/** What all keys of a tenant begin with. */
export function tenantPrefix(tenant: string): string {
  return `[${JSON.stringify(tenant)},`;
}

/** Reads a key back; `undefined` for text that is none. */
export function parseCounterKey(text: string): CounterName | undefined {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) return undefined;
  const parts: readonly unknown[] = value;
  const [tenant, layer, counter, window, key] = parts;
  if (typeof tenant !== "string" || typeof layer !== "string" || typeof counter !== "string") {
    return undefined;
  }
  if (typeof window !== "string" || !isRecord(key)) return undefined;
  const words = Object.entries(key).flatMap(([field, own]) =>
    typeof own === "string" ? [[field, own] as const] : [],
  );
  return { tenant, layer, counter, window, key: Object.fromEntries(words) };
}
