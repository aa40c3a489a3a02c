/**
 * A raw keep-alive client that sends the same `tools/call` again and again, in the words of one era.
 */
import { Agent, request } from "node:http";

const version = { legacy: "2025-11-25", modern: "2026-07-28" };
const clientInfo = { name: "bench", version: "1" };
const envelope = {
  "io.modelcontextprotocol/protocolVersion": version.modern,
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": clientInfo,
};

/**
 * Begins a session where the era has one.
 *
 * @param {string} url
 * @param {"legacy" | "modern"} era
 */
export async function openCaller(url, era) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  /** @type {Record<string, string>} */
  const headers = {
    "Content-Type": "application/json",
    Accept: "application/json, text/event-stream",
    Authorization: `Bearer ${"t".repeat(43)}`,
    "MCP-Protocol-Version": version[era],
  };
  if (era === "modern") {
    headers["Mcp-Method"] = "tools/call";
    headers["Mcp-Name"] = "search_customers";
  } else {
    const { session } = await post(agent, url, headers, message("initialize", greeting));
    headers["Mcp-Session-Id"] = session;
  }
  const params = { name: "search_customers", arguments: { query: "Northwind" } };
  const call = message("tools/call", era === "modern" ? { ...params, _meta: envelope } : params);
  return {
    call: async () => {
      const { status, text } = await post(agent, url, headers, call);
      if (status !== 200 || !text.includes("Northwind")) throw new Error(`${status}: ${text}`);
    },
    close: () => agent.destroy(),
  };
}

const greeting = { protocolVersion: version.legacy, capabilities: {}, clientInfo };

/**
 * @param {string} method
 * @param {object} params
 */
function message(method, params) {
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
}

/**
 * @param {Agent} agent
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {string} body
 * @returns {Promise<{ status: number, session: string, text: string }>}
 */
function post(agent, url, headers, body) {
  return new Promise((resolve, reject) => {
    const length = { "Content-Length": Buffer.byteLength(body) };
    const sent = request(url, { method: "POST", agent, headers: { ...headers, ...length } });
    sent.on("error", reject);
    sent.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => {
        const session = String(response.headers["mcp-session-id"] ?? "");
        resolve({ status: response.statusCode ?? 0, session, text });
      });
    });
    sent.end(body);
  });
}
