/**
 * The tasks extension of 2026-07-28. A client that does not declare it on a request gets nothing of
 * tasks there (SEP-2663, "Error Handling").
 */
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import type { RpcError } from "../wire/rpc.ts";

const tasksExtension = "io.modelcontextprotocol/tasks";
/** JSON-RPC error code `MissingRequiredClientCapability`. */
const missingCapability = -32_021;

/** True for a modern client that declares the extension. */
export function speaksTasks({ capabilities }: { readonly capabilities: JsonObject }): boolean {
  const { extensions } = capabilities;
  return isJsonObject(extensions) && tasksExtension in extensions;
}

/** What a client hears that does not. */
export const tasksUndeclared: RpcError = {
  code: missingCapability,
  message: `expected a client that declares the extension ${tasksExtension}`,
  data: { requiredCapabilities: { extensions: { [tasksExtension]: {} } } },
};
