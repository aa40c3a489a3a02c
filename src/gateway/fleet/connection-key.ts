/**
 * Who shares one connection to a server: everything that one principal does, or one legacy session.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { Client } from "../gateway.ts";
import { offeredCapabilities } from "../offered-capabilities.ts";

/** The members of a client that a connection is kept under. */
export type Sharer = Pick<Client, "principal" | "session" | "capabilities">;

const questions: JsonObject = {
  sampling: {},
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
};
/** Interfaces of tools pass through as resources, whoever draws them. */
const extensions: JsonObject = {
  "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] },
};

/** Key of the connection that serves this client. */
export function connectionKey(
  { sharing }: Pick<ServerConfig, "sharing">,
  { principal, session }: Pick<Sharer, "principal" | "session">,
): string {
  return sharing === "session" && session !== undefined
    ? `session:${principal.key}:${session}`
    : `principal:${principal.key}`;
}

type DeclaringServer = Pick<ServerConfig, "sharing" | "toClient" | "roots">;

/** What is declared to a server whose connections are no client's own. */
const declaredToServer = new WeakMap<DeclaringServer, JsonObject>();

/** What a connection declares that the client can do. */
export function declaredCapabilities(
  server: DeclaringServer,
  { session, capabilities }: Sharer,
): JsonObject {
  if (server.sharing === "session" && session !== undefined) return declared(server, capabilities);
  const known = declaredToServer.get(server) ?? declared(server, { ...questions, extensions });
  declaredToServer.set(server, known);
  return known;
}

function declared(server: DeclaringServer, able: JsonObject): JsonObject {
  const offered = offeredCapabilities(able, server.toClient);
  const hasRoots = server.roots !== undefined && server.toClient.includes("roots");
  return hasRoots ? { ...offered, roots: {} } : offered;
}
