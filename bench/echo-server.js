/**
 * The floor: a bare JSON-RPC echo over stdio, no SDK. Called directly it is what a call costs without
 * a gateway. Writes the arguments of each call to the file `ECHO_RECEIVED`, where one is named, before
 * it answers, so that nothing which was forwarded can be denied afterwards.
 */
import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";

const path = process.env["ECHO_RECEIVED"];
const received = path === undefined ? undefined : openSync(path, "a");
const inputSchema = { type: "object" };
const tools = ["search_customers", "echo"].map((name) => ({ name, inputSchema }));

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  if (received !== undefined && method === "tools/call") {
    writeSync(received, `${JSON.stringify(params.arguments)}\n`);
  }
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
