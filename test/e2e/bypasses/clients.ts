/**
 * Clients of both eras before the HTTP front, as polite as the test lets them be.
 */
import type { Answer, HttpGateway, Message, Open, Post } from "./http-gateway.ts";

export const modernVersion = "2026-07-28";
const nameMembers = ["name", "uri", "taskId"];

export interface Asked {
  readonly id?: string | number;
  readonly capabilities?: object;
  readonly headers?: Post["headers"];
}

export function envelope(capabilities: object = {}): object {
  return {
    "io.modelcontextprotocol/protocolVersion": modernVersion,
    "io.modelcontextprotocol/clientCapabilities": capabilities,
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
  };
}

/** The POST of a modern request. */
export function modernPost(
  user: string,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  { id = 1, capabilities = {}, headers = {} }: Asked = {},
): Post {
  const name = nameMembers.map((member) => params[member]).find((value) => value !== undefined);
  const meta = { ...envelope(capabilities), ...Object(params["_meta"]) };
  return {
    user,
    headers: {
      "MCP-Protocol-Version": modernVersion,
      "Mcp-Method": method,
      ...(typeof name === "string" ? { "Mcp-Name": headerText(name) } : {}),
      ...headers,
    },
    body: { jsonrpc: "2.0", id, method, params: { ...params, _meta: meta } },
  };
}

function headerText(name: string): string {
  const isPlain = /^[\x21-\x7e]+$/.test(name) && !name.startsWith("=?base64?");
  return isPlain ? name : `=?base64?${Buffer.from(name).toString("base64")}?=`;
}

/** A modern client: no state, each request for itself. */
export function modernClient(gateway: HttpGateway, user: string) {
  const request = async (method: string, params: object = {}, asked: Asked = {}) =>
    answerOf(await gateway.post(modernPost(user, method, { ...params }, asked)));
  return {
    request,
    call: (name: string, args: object = {}, more: object = {}, asked: Asked = {}) =>
      request("tools/call", { name, arguments: args, ...more }, asked),
  };
}

export interface LegacyClient {
  readonly headers: Record<string, string>;
  readonly request: (method: string, params?: object, id?: string | number) => Promise<Message>;
  readonly open: (method: string, params?: object, id?: string | number) => Promise<Open>;
  readonly call: (name: string, args?: object, id?: string | number) => Promise<Message>;
  readonly say: (message: object) => Promise<Answer>;
}

/** A legacy client with a session of its own. */
export async function legacyClient(
  gateway: HttpGateway,
  user: string,
  capabilities: object = {},
): Promise<LegacyClient> {
  const clientInfo = { name: "raw", version: "1" };
  const protocolVersion = "2025-11-25";
  const params = { protocolVersion, capabilities, clientInfo };
  const greeting = await gateway.post({
    user,
    body: { jsonrpc: "2.0", id: "init", method: "initialize", params },
  });
  const headers = {
    "MCP-Protocol-Version": protocolVersion,
    "Mcp-Session-Id": String(greeting.headers["mcp-session-id"]),
  };
  let next = 0;
  const say = (message: object) =>
    gateway.post({ user, headers, body: { jsonrpc: "2.0", ...message } });
  const open: LegacyClient["open"] = (method, given = {}, id = (next += 1)) =>
    gateway.open({ user, headers, body: { jsonrpc: "2.0", id, method, params: given } });
  const request: LegacyClient["request"] = async (method, given, id) =>
    answerOf(await (await open(method, given, id)).ended);
  await say({ method: "notifications/initialized" });
  return {
    headers,
    open,
    request,
    say,
    call: (name, args = {}, id = (next += 1)) =>
      request("tools/call", { name, arguments: args }, id),
  };
}

/** The message that ends a request, whether it came as JSON or as the last event. */
export function answerOf({ status, text, messages }: Answer): Message {
  const answer = messages.findLast((message) => "result" in message || "error" in message);
  return answer ?? { status, text };
}

export function textOf(answer: Message): string {
  const { content } = Object(answer["result"]);
  return Array.isArray(content) ? String(Object(content[0]).text) : JSON.stringify(answer);
}

export function reasonsOf(answer: Message): readonly string[] {
  const { result, error } = answer;
  const holder = Object(Object(result)._meta ?? Object(error).data);
  return Object(holder["io.mcp-gateway/decision"]).reasons ?? [];
}
