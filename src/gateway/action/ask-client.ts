/**
 * Carries a decided question of a legacy server to the client and its answer back.
 */
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import type { ClientAnswer, ServerRequest } from "../../mcp/upstream/upstream-connection.ts";
import type { ClientQuestion, ClientReply } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Question } from "./question.ts";
import { decideQuestion } from "./question.ts";
import { deniedCode } from "./replies.ts";
import { settle } from "./settle.ts";

const methodNotFound = { code: -32_601, message: "Method not found" } as const;
const capabilityOf: Readonly<Record<string, string>> = {
  "sampling/createMessage": "sampling",
  "elicitation/create": "elicitation",
  "roots/list": "roots",
};

/** How a client can be asked; `undefined` where it cannot. */
export type Ask = ((question: ClientQuestion) => Promise<ClientReply>) | undefined;

/** Answers the server: with what the client said, or with why it was not asked. */
export async function askClient(
  parts: GatewayParts,
  asker: Pick<Question, "client" | "server" | "during"> & { readonly ask: Ask },
  { method, params, signal }: ServerRequest,
): Promise<ClientAnswer> {
  const decision = await decideQuestion(parts, { ...asker, method, params });
  if (decision === undefined) return { kind: "error", error: methodNotFound };
  if (!decision.ok) {
    const message = `Denied by policy (${decision.reason})`;
    return { kind: "error", error: { code: deniedCode, message } };
  }
  const { action } = decision;
  const configured = method === "roots/list" ? asker.server.roots : undefined;
  if (configured !== undefined) {
    settle(parts, action, "completed", undefined);
    return { kind: "result", resultJson: JSON.stringify({ roots: configured }) };
  }
  if (asker.ask === undefined || !isDeclared(asker.client.capabilities, method, params)) {
    settle(parts, action, "not_forwarded", undefined);
    return { kind: "error", error: methodNotFound };
  }
  const paramsJson = JSON.stringify(decision.params);
  const reply = await asker.ask({ method, paramsJson, signal });
  return takeReply(parts, action, reply);
}

function takeReply(
  parts: GatewayParts,
  action: Parameters<typeof settle>[1],
  reply: ClientReply,
): ClientAnswer {
  if (reply.kind === "result") {
    settle(parts, action, "completed", Buffer.from(reply.resultJson));
    return reply;
  }
  settle(parts, action, "tool_error", undefined);
  const { code, message } = reply;
  return { kind: "error", error: { code, message } };
}

/** True where the client said that it can be asked this. */
export function isDeclared(
  capabilities: JsonObject,
  method: string,
  { mode }: JsonObject = {},
): boolean {
  const name = capabilityOf[method];
  const declared = name === undefined ? undefined : capabilities[name];
  if (declared === undefined) return false;
  // Without sub-members it is forms (MCP 2025-11-25, "Elicitation Capabilities").
  return mode !== "url" || (isJsonObject(declared) && declared["url"] !== undefined);
}
