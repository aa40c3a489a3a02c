/**
 * An upstream server that writes down what reaches it before it answers, so that nothing which was
 * forwarded can be denied afterwards.
 */
import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";

const received = openSync(process.env["TORTURE_RECEIVED"] ?? "/dev/null", "a");
const tools = [{ name: "echo", inputSchema: { type: "object" } }];

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === "tools/call") writeSync(received, `${JSON.stringify(params.arguments)}\n`);
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
