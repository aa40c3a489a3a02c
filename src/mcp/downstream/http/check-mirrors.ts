/**
 * Headers that mirror the body of a modern request (2026-07-28 Streamable HTTP, "Server
 * Validation"): what a load balancer routed or limited by is what is executed, or nothing is. A
 * header that mirrors nothing in the body is as wrong as one that says something else.
 */
import type { Json, JsonObject } from "../../../contract/json.ts";
import { isJsonObject } from "../../../contract/json.ts";
import { agreesWithBody, decodeHeaderValue, headerTextOf } from "../../wire/header-value.ts";
import type { ClientRequest } from "../../wire/read-client-message.ts";
import { metaKeys } from "../read-era.ts";
import type { RequestHeaders } from "./read-headers.ts";

/** JSON-RPC error code `HeaderMismatch`. */
export const headerMismatchCode = -32_020;

/** Methods whose request has to have the header, and the member of `params` that it mirrors. */
const nameSources: ReadonlyMap<string, string> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"],
]);
const nameMembers = ["name", "uri", "taskId"] as const;

/** The protocol version in header and envelope; the first thing that is wrong, in words. */
export function checkVersionHeader(
  headers: RequestHeaders,
  params: JsonObject,
): string | undefined {
  const header = headers.get("mcp-protocol-version");
  if (header === undefined) return "expected the header MCP-Protocol-Version, found none";
  const meta = params["_meta"];
  const claimed = isJsonObject(meta) ? meta[metaKeys.protocolVersion] : undefined;
  if (header === claimed) return undefined;
  return `expected the header MCP-Protocol-Version to be _meta["${metaKeys.protocolVersion}"]`;
}

/** `Mcp-Method` and `Mcp-Name`; `isRequired` where the revision has them. */
export function checkStandardHeaders(
  headers: RequestHeaders,
  { method, params }: Pick<ClientRequest, "method" | "params">,
  isRequired: boolean,
): string | undefined {
  const mirrored = headers.get("mcp-method");
  if (mirrored === undefined && isRequired) return "expected the header Mcp-Method, found none";
  if (mirrored !== undefined && mirrored !== method) {
    return "expected the header Mcp-Method to be the method of the body";
  }
  const source = nameSources.get(method);
  const name = headers.get("mcp-name");
  if (name === undefined) {
    const isMissing = isRequired && source !== undefined && typeof params[source] === "string";
    return isMissing ? `expected the header Mcp-Name, found none` : undefined;
  }
  const members = source === undefined ? nameMembers : [source];
  const decoded = decodeHeaderValue(name);
  if (decoded !== undefined && members.some((member) => params[member] === decoded)) {
    return undefined;
  }
  return `expected the header Mcp-Name to be params.${source ?? "name, params.uri or params.taskId"} of the body`;
}

/**
 * `Mcp-Param-…` of a `tools/call`. `pointers`: full header name → JSON pointer into the arguments.
 */
export function checkParameterHeaders(
  headers: RequestHeaders,
  args: Json | undefined,
  pointers: ReadonlyMap<string, string>,
): string | undefined {
  for (const [name, pointer] of pointers) {
    const header = headers.get(name.toLowerCase());
    const value = valueAt(args, pointer);
    if (isMirrored(header, value) && !headers.isRepeated(name.toLowerCase())) continue;
    return `expected the header ${name} to be the argument at "${pointer}"`;
  }
  return undefined;
}

/** A value that no header can carry is not the header's fault; the tool's schema refuses it. */
function isMirrored(header: string | undefined, value: Json | undefined): boolean {
  if (header === undefined) return headerTextOf(value) === undefined;
  const decoded = decodeHeaderValue(header);
  return decoded !== undefined && agreesWithBody(decoded, value);
}

/** RFC 6901, over own members of objects only. */
function valueAt(value: Json | undefined, pointer: string): Json | undefined {
  const keys = pointer.split("/").slice(1);
  return keys.reduce<Json | undefined>((found, escaped) => {
    const key = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
    return isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }, value);
}
