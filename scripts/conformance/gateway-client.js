/**
 * An SDK client on the standard input and output of the gateway's bin.
 */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { bin } from "./children.js";

/**
 * Starts the gateway and greets it, in the modern or the legacy way. Whatever it asks its user is
 * accepted as it stands.
 *
 * @param {import("./children.js").Setting} setting
 * @param {boolean} isModern
 * @param {import("@modelcontextprotocol/client").ClientCapabilities} capabilities
 * @returns {Promise<Client>}
 */
export async function connectThrough({ config, env }, isModern, capabilities) {
  const client = new Client(
    { name: "conformance-client", version: "1.0.0" },
    { capabilities, versionNegotiation: { mode: isModern ? "auto" : "legacy" } },
  );
  if (capabilities.elicitation !== undefined) {
    client.setRequestHandler("elicitation/create", ({ params }) => {
      const asked = "requestedSchema" in params ? params.requestedSchema.properties : {};
      return { action: "accept", content: "confirmed" in asked ? { confirmed: true } : {} };
    });
  }
  const args = [bin, "serve", "--stdio", "--config", config];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env }));
  return client;
}
