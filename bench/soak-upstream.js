/**
 * The server on stdio behind the gateway under soak: MCP 2025-11-25 as JSON-RPC lines, no SDK. Every
 * tool gives back the value it was called with, so that a client can tell its own answers from
 * somebody else's. Its argument is its name, which is also the scheme of its resources.
 */
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";

const name = process.argv[2] ?? "soak";
const value = { type: "string" };

/** @param {string} tool @param {object} properties */
const describe = (tool, properties) => ({
  name: tool,
  description: `gives back its value: ${tool}`,
  inputSchema: { type: "object", properties, required: Object.keys(properties) },
});

const tools = [
  describe("echo", { value }),
  describe("steps", { value, steps: { type: "integer" } }),
  describe("slow", { value, ms: { type: "integer" } }),
  describe("touch", { value, uri: { type: "string" } }),
  describe("ask", { value }),
];

/** @type {Set<string>} */
const subscribed = new Set();
/** @type {Map<unknown, AbortController>} */
const running = new Map();
/** @type {Map<unknown, (result: { content?: { name?: string } }) => void>} */
const asked = new Map();
let questions = 0;

/**
 * @typedef {{ value: string, steps: number, ms: number, uri: string }} Args
 * @typedef {{ id: unknown, args: Args, progressToken: unknown, signal: AbortSignal }} Call
 * @type {Record<string, (call: Call) => unknown>}
 */
const answers = {
  echo: () => undefined,
  steps: async ({ args, progressToken }) => {
    for (let progress = 1; progress <= args.steps; progress += 1) {
      await wait(20);
      if (progressToken === undefined) continue;
      const total = args.steps;
      notify("progress", { progressToken, progress, total, message: args.value });
    }
  },
  slow: async ({ args, signal }) => await wait(args.ms, undefined, { signal }),
  touch: ({ args: { uri } }) => {
    if (subscribed.has(uri)) notify("resources/updated", { uri });
  },
  ask: async ({ args }) => {
    questions += 1;
    const id = `question-${questions}`;
    const requestedSchema = { type: "object", properties: { name: { type: "string" } } };
    const params = { mode: "form", message: args.value, requestedSchema };
    send({ id, method: "elicitation/create", params });
    const { content } = await new Promise((resolve) => asked.set(id, resolve));
    asked.delete(id);
    return `${args.value} by ${content?.name ?? "nobody"}`;
  },
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  const { id, method, params, result } = message;
  if (method === undefined) asked.get(id)?.(result ?? {});
  else if (method === "notifications/cancelled") running.get(params.requestId)?.abort();
  else if (id !== undefined) void answer(id, method, params ?? {});
});

/**
 * @param {unknown} id
 * @param {string} method
 * @param {any} params
 */
async function answer(id, method, params) {
  switch (method) {
    case "initialize": {
      const capabilities = { tools: {}, resources: { subscribe: true } };
      const { protocolVersion } = params;
      const serverInfo = { name, version: "1" };
      return send({ id, result: { protocolVersion, capabilities, serverInfo } });
    }
    case "tools/list":
      return send({ id, result: { tools } });
    case "resources/list":
      return send({ id, result: { resources: [] } });
    case "resources/templates/list": {
      const template = { uriTemplate: `${name}://{client}`, name };
      return send({ id, result: { resourceTemplates: [template] } });
    }
    case "resources/subscribe":
      subscribed.add(params.uri);
      return send({ id, result: {} });
    case "resources/unsubscribe":
      subscribed.delete(params.uri);
      return send({ id, result: {} });
    case "ping":
      return send({ id, result: {} });
    case "tools/call":
      return await call(id, params);
    default:
      return send({ id, error: { code: -32_601, message: "Method not found" } });
  }
}

/**
 * @param {unknown} id
 * @param {{ name: string, arguments: Args, _meta?: { progressToken?: unknown } }} params
 */
async function call(id, { name: tool, arguments: args, _meta: meta }) {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const { signal } = controller;
    const text = await answers[tool]?.({ id, args, progressToken: meta?.progressToken, signal });
    send({ id, result: { content: [{ type: "text", text: text ?? args.value }] } });
  } catch {
    // A cancelled call is not answered.
  } finally {
    running.delete(id);
  }
}

/**
 * @param {string} what
 * @param {object} params
 */
function notify(what, params) {
  send({ method: `notifications/${what}`, params });
}

/** @param {object} message */
function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}
