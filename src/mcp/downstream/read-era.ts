/**
 * Which era one request speaks, recognised per message: a claim in `_meta` makes it modern, nothing
 * makes it legacy. A connection is never pinned to an era; clients probe one and fall back.
 */
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import type { ClientClaim } from "../../contract/policy-input.ts";
import { modernVersions } from "../wire/method-table.ts";
import type { RpcError } from "../wire/rpc.ts";
import { rpcCodes } from "../wire/rpc.ts";

/** Keys of the 2026-07-28 envelope in `_meta`. */
export const metaKeys = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  logLevel: "io.modelcontextprotocol/logLevel",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
} as const;

export type EraReading =
  | { readonly era: "legacy" }
  | {
      readonly era: "modern";
      readonly protocolVersion: string;
      readonly claim: ClientClaim;
      readonly capabilities: JsonObject;
    }
  | { readonly era: "refused"; readonly error: RpcError };

const maxClaimLength = 256;

/** Reads the envelope of a request's params. */
export function readEra(params: JsonObject): EraReading {
  const meta = params["_meta"];
  if (!isJsonObject(meta) || !(metaKeys.protocolVersion in meta)) return { era: "legacy" };
  const requested = meta[metaKeys.protocolVersion];
  const protocolVersion = modernVersions.find((known) => known === requested);
  if (protocolVersion === undefined) return { era: "refused", error: unsupported(requested) };
  const capabilities = meta[metaKeys.clientCapabilities];
  if (!isJsonObject(capabilities)) {
    const message = `expected _meta["${metaKeys.clientCapabilities}"] to be an object`;
    return { era: "refused", error: { code: rpcCodes.invalidParams, message } };
  }
  const claim = readClaim(meta[metaKeys.clientInfo]);
  return { era: "modern", protocolVersion, claim, capabilities };
}

/** What a client says of itself; it is never a reason to allow anything. */
export function readClaim(info: unknown): ClientClaim {
  if (!isJsonObject(info)) return { name: "", version: "" };
  return { name: claim(info["name"]), version: claim(info["version"]) };
}

function claim(value: unknown): string {
  return typeof value === "string" ? value.slice(0, maxClaimLength).toWellFormed() : "";
}

function unsupported(requested: unknown): RpcError {
  return {
    code: rpcCodes.unsupportedProtocolVersion,
    message: "Unsupported protocol version",
    data: { supported: modernVersions, requested: typeof requested === "string" ? requested : "" },
  };
}
