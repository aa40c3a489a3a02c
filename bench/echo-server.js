/**
 * The floor: a bare JSON-RPC echo over stdio, no SDK, one tool. Called directly it is what a call
 * costs without a gateway.
 */
import { createInterface } from "node:readline";

const tools = [{ name: "search_customers", inputSchema: { type: "object" } }];

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  process.stdout.write(
    `${JSON.stringify({ jsonrpc: "2.0", id, result: answer(method, params) })}\n`,
  );
});

/**
 * @param {string} method
 * @param {{ protocolVersion?: string, arguments?: object }} params
 */
function answer(method, params) {
  if (method === "tools/list") return { tools };
  if (method === "tools/call") {
    return { content: [{ type: "text", text: JSON.stringify(params.arguments) }] };
  }
  const serverInfo = { name: "echo", version: "1" };
  return { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo };
}
