/**
 * Connects real MCP clients to a demo server over stdio: the SDK's 1.x line, and its 2.x line in
 * either era. What they answer is read once into one shape, so that a test is written once.
 */
import { fileURLToPath } from "node:url";
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import * as z from "zod";

/** The clients that a demo server has to satisfy. */
export const clientKinds = ["SDK 1.x", "SDK 2.x legacy", "SDK 2.x modern"] as const;
type ClientKind = (typeof clientKinds)[number];

const toolAnswerSchema = z.object({
  content: z.array(z.object({ type: z.literal("text"), text: z.string() })),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().optional(),
});
/** What a tool call came back with. */
type ToolAnswer = z.infer<typeof toolAnswerSchema>;

const toolSchema = z.object({
  name: z.string(),
  description: z.string(),
  inputSchema: z.object({ additionalProperties: z.literal(false) }),
  outputSchema: z.record(z.string(), z.unknown()).optional(),
  annotations: z.record(z.string(), z.boolean()),
});
type ListedTool = z.infer<typeof toolSchema>;

export interface ConnectedClient {
  readonly protocolVersion: string | undefined;
  readonly listTools: () => Promise<readonly ListedTool[]>;
  readonly callTool: (name: string, args: Record<string, unknown>) => Promise<ToolAnswer>;
  readonly close: () => Promise<void>;
}

/** Path of a demo server's program. */
export function serverFile(server: "crm" | "mail"): string {
  return fileURLToPath(new URL(`../../servers/${server}/main.js`, import.meta.url));
}

/** Starts the server as a child of the client and finishes the handshake. */
export async function connectClient(
  kind: ClientKind,
  server: "crm" | "mail",
  env: Record<string, string> = {},
): Promise<ConnectedClient> {
  const start = { command: process.execPath, args: [serverFile(server)], env };
  switch (kind) {
    case "SDK 1.x":
      return connectV1(new StdioV1(start));
    case "SDK 2.x legacy":
      return connectV2(new StdioV2(start), "legacy");
    case "SDK 2.x modern":
      return connectV2(new StdioV2(start), { pin: "2026-07-28" });
  }
}

async function connectV1(transport: StdioV1): Promise<ConnectedClient> {
  const client = new ClientV1({ name: "test", version: "1.0.0" });
  let protocolVersion: string | undefined;
  const watched = Object.assign(transport, {
    setProtocolVersion: (version: string) => {
      protocolVersion = version;
    },
  });
  await client.connect(watched);
  return {
    protocolVersion,
    listTools: async () => readTools((await client.listTools()).tools),
    callTool: async (name, args) =>
      toolAnswerSchema.parse(await client.callTool({ name, arguments: args })),
    close: () => client.close(),
  };
}

async function connectV2(
  transport: StdioV2,
  mode: "legacy" | { pin: string },
): Promise<ConnectedClient> {
  const client = new ClientV2({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
  await client.connect(transport);
  return {
    protocolVersion: client.getNegotiatedProtocolVersion(),
    listTools: async () => readTools((await client.listTools()).tools),
    callTool: async (name, args) =>
      toolAnswerSchema.parse(await client.callTool({ name, arguments: args })),
    close: () => client.close(),
  };
}

function readTools(tools: unknown): readonly ListedTool[] {
  return z.array(toolSchema).parse(tools);
}
