/**
 * What a client can do, as far as a server may know of it.
 */
import type { JsonObject } from "../contract/json.ts";

/** What a server may know that the client can do: no question that the operator did not list. */
export function offeredCapabilities(
  capabilities: JsonObject,
  toClient: readonly string[],
): JsonObject {
  const questions = new Set(["sampling", "elicitation", "roots"]);
  return Object.fromEntries(
    Object.entries(capabilities).filter(
      ([name]) => !questions.has(name) || toClient.includes(name),
    ),
  );
}
