/**
 * What a client can do, as far as a server may know of it.
 */
import type { JsonObject } from "../contract/json.ts";

const questions: ReadonlySet<string> = new Set(["sampling", "elicitation", "roots"]);

/** What a server may know that the client can do: no question that the operator did not list. */
export function offeredCapabilities(
  capabilities: JsonObject,
  toClient: readonly string[],
): JsonObject {
  const isOffered = (name: string): boolean => !questions.has(name) || toClient.includes(name);
  if (Object.keys(capabilities).every(isOffered)) return capabilities;
  return Object.fromEntries(Object.entries(capabilities).filter(([name]) => isOffered(name)));
}
