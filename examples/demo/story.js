/**
 * `npm run demo`: one MCP client, one gateway, two servers and a handful of calls. Shows what is
 * allowed, what is denied and why, what is held, and then the same decisions read back from the
 * store. Everything it writes goes into a temporary folder.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const gateway = join(root, "dist", "bin", "main.js");
const config = join(root, "mcp-gateway.config.json");
const state = mkdtempSync(join(tmpdir(), "mcp-gateway-demo-"));
const env = {
  PATH: process.env["PATH"] ?? "",
  MCP_GATEWAY_STATE: join(state, "state"),
  XDG_CACHE_HOME: join(state, "cache"),
  MCP_GATEWAY_LOG: "error",
};

const outsideMail = {
  to: "partner@outside.example",
  subject: "Meeting on Friday",
  body: "See you at ten.",
};

/** Each call with the effect that the story is about; another one ends the demo with an error. */
const story = [
  { tool: "mail__send_email", args: outsideMail, expected: "allow" },
  { tool: "crm__search_customers", args: { query: "Northwind" }, expected: "allow" },
  { tool: "crm__get_customer", args: { id: "C-17" }, expected: "allow" },
  { tool: "crm__export_customers", args: {}, expected: "data_class_unauthorized_for_user" },
  { tool: "crm__delete_customer", args: { id: "C-17" }, expected: "approval_required" },
  { tool: "mail__send_email", args: outsideMail, expected: "customer_data_egress" },
];

try {
  await tellStory();
  showDecisions();
} finally {
  rmSync(state, { recursive: true, force: true });
}

async function tellStory() {
  const client = new Client({ name: "demo", version: "1.0.0" });
  const args = [gateway, "serve", "--stdio", "--config", config];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env }));
  const { tools } = await client.listTools();
  print(`tools: ${tools.map((tool) => tool.name).join(", ")}\n`);
  for (const { tool, args: callArgs, expected } of story) {
    print(`→ ${tool} ${JSON.stringify(callArgs)}`);
    const result = await client.callTool({ name: tool, arguments: callArgs });
    print(`${indent(textOf(result))}\n`);
    check(tool, expected, result);
  }
  await client.close();
}

/**
 * Denials carry the whole decision in `_meta`; a result without one was allowed.
 *
 * @param {string} tool
 * @param {string} expected
 * @param {import("@modelcontextprotocol/client").CallToolResult} result
 */
function check(tool, expected, result) {
  const decision = Object(result._meta)["io.mcp-gateway/decision"];
  const found = decision === undefined ? "allow" : decision.reasons.join(",");
  if (found === expected && (expected !== "allow" || result.isError !== true)) return;
  throw new Error(`${tool}: expected ${expected}, got ${found}`);
}

function showDecisions() {
  print("The decisions, read back from the database (mcp-gateway decision list):\n");
  print(run("decision", "list", "--limit", "20", "--config", config));
}

/** @param {string[]} args */
function run(...args) {
  return execFileSync(process.execPath, [gateway, ...args], { env, encoding: "utf8" });
}

/** @param {import("@modelcontextprotocol/client").CallToolResult} result */
function textOf(result) {
  return result.content
    .map((part) => (part.type === "text" ? part.text : `(${part.type})`))
    .join("\n");
}

/** @param {string} text */
function indent(text) {
  return text.replaceAll(/^/gm, "  ");
}

/** @param {string} text */
function print(text) {
  process.stdout.write(`${text}\n`);
}
