/**
 * An error of a server as a client gets it. Its code and data are the server's own, but it is no
 * denial of the gateway's, and does not look like one.
 */
import { isRecord } from "../../contract/json.ts";
import type { RpcError } from "../../mcp/wire/rpc.ts";
import type { ActionReply } from "../gateway.ts";
import { withoutReserved } from "../reserved-members.ts";
import { deniedCode } from "./replies.ts";

/** JSON-RPC 2.0 §5.1: of the server's own making. */
const serverError = -32_000;

/** The reply for a request that its server answered with an error. */
export function presentError({ code, message, data }: RpcError): ActionReply {
  return {
    kind: "error",
    code: code === deniedCode ? serverError : code,
    message,
    ...(data === undefined ? {} : { data: isRecord(data) ? withoutReserved(data) : data }),
  };
}
