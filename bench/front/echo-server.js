/**
 * The floor: a `node:http` server that reads a JSON-RPC call and answers with its arguments, and
 * checks nothing.
 */
import { createServer } from "node:http";

const server = createServer((request, response) => {
  /** @type {Buffer[]} */
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const { id, params } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    const content = [{ type: "text", text: JSON.stringify(params.arguments ?? {}) }];
    const body = JSON.stringify({ jsonrpc: "2.0", id, result: { content } });
    response.writeHead(200, {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
    });
    response.end(body);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.send?.(`http://127.0.0.1:${port}/mcp`);
});
process.once("disconnect", () => process.exit(0));
