/**
 * Messages and headers of both eras, as a client that does everything right sends them.
 */
import type { Headers, OpenFront, Sent } from "./open-front.ts";

export const modernVersion = "2026-07-28";
export const envelope = {
  "io.modelcontextprotocol/protocolVersion": modernVersion,
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
};

const nameMembers = ["name", "uri", "taskId"];

/** A modern POST; `headers` are added, or taken away with `undefined`. */
export function modern(method: string, params: object = {}, headers: Headers = {}): Sent {
  const known = new Map(Object.entries(params));
  const name = nameMembers.map((member) => known.get(member)).find((value) => value !== undefined);
  return {
    headers: {
      "MCP-Protocol-Version": modernVersion,
      "Mcp-Method": method,
      ...(name === undefined ? {} : { "Mcp-Name": name }),
      ...headers,
    },
    body: { jsonrpc: "2.0", id: 1, method, params: { _meta: envelope, ...params } },
  };
}

export function legacyRequest(id: number | string, method: string, params: object = {}): object {
  return { jsonrpc: "2.0", id, method, params };
}

export function initialize(protocolVersion = "2025-11-25"): object {
  const clientInfo = { name: "raw", version: "1" };
  return legacyRequest("init", "initialize", { protocolVersion, capabilities: {}, clientInfo });
}

/** The headers of a session that was begun by the handshake. */
export async function beginSession(
  front: OpenFront,
  { user = "alice", version = "2025-11-25" } = {},
): Promise<Record<string, string>> {
  const Authorization = `Bearer ${user}`;
  const greeting = await front.send({ headers: { Authorization }, body: initialize(version) });
  const headers = {
    Authorization,
    "Mcp-Session-Id": String(greeting.headers["mcp-session-id"]),
    "MCP-Protocol-Version": version,
  };
  await front.send({ headers, body: { jsonrpc: "2.0", method: "notifications/initialized" } });
  return headers;
}

export function call(id: number | string, name = "echo", args: object = {}): object {
  return legacyRequest(id, "tools/call", { name, arguments: args });
}
