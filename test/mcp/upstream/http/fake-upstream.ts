/**
 * An MCP endpoint that answers as a test says, on loopback: for what no SDK would send.
 */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { afterEach } from "vitest";
import type { JsonObject } from "../../../../src/contract/json.ts";
import type { ConnectOptions, EraMemory } from "../../../../src/mcp/upstream/connect-options.ts";
import { connectUpstream } from "../../../../src/mcp/upstream/connect-upstream.ts";
import type {
  ServerNotification,
  UpstreamConnection,
  UpstreamListener,
  UpstreamRequest,
} from "../../../../src/mcp/upstream/upstream-connection.ts";
import { createWatchdog } from "../../../../src/mcp/upstream/watchdog.ts";
import { createTestLog } from "../../../support/log.ts";

/** One HTTP request, read to its end. */
export interface Received {
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: JsonObject;
  readonly response: ServerResponse;
  /** JSON-RPC method, empty for GET, DELETE and answers. */
  readonly rpc: string;
  readonly id: unknown;
}

export interface FakeUpstream {
  readonly url: string;
  readonly received: Received[];
  /** Sockets that were opened so far. */
  readonly sockets: () => number;
  readonly close: () => Promise<void>;
}

const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** `answer` sees everything that `handshake` did not answer. */
export async function startFake(answer: (request: Received) => void): Promise<FakeUpstream> {
  const received: Received[] = [];
  let sockets = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const body: JsonObject = text === "" ? {} : JSON.parse(text);
      const rpc = typeof body["method"] === "string" ? body["method"] : "";
      const { method = "", headers } = request;
      const one = { method, headers, body, response, rpc, id: body["id"] };
      received.push(one);
      answer(one);
    });
  });
  server.on("connection", () => {
    sockets += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  cleanUps.push(async () => {
    if (server.listening) await close();
  });
  return { url: `http://127.0.0.1:${port}/mcp`, received, sockets: () => sockets, close };
}

export function sendJson(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof value === "string" ? value : JSON.stringify(value));
}

export function startEvents(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
}

export function sendEvent(response: ServerResponse, message: unknown, id?: string): void {
  const text = typeof message === "string" ? message : JSON.stringify(message);
  response.write(`${id === undefined ? "" : `id: ${id}\n`}data: ${text}\n\n`);
}

export const textResult = (text: string): JsonObject => ({ content: [{ type: "text", text }] });

export function rpcResult(id: unknown, result: unknown): object {
  return { jsonrpc: "2.0", id, result };
}

export function rpcError(id: unknown, code: number, message: string, data?: unknown): object {
  return { jsonrpc: "2.0", id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

/** The legacy handshake with a session; no standing stream. True where it was part of that. */
export function greetLegacy({ rpc, method, id, response }: Received, session = "s-1"): boolean {
  if (method === "GET" || method === "DELETE") {
    response.writeHead(405).end();
    return true;
  }
  if (rpc === "initialize") {
    const result = {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "fake", version: "1" },
    };
    sendJson(response, rpcResult(id, result), 200, { "mcp-session-id": session });
    return true;
  }
  if (!rpc.startsWith("notifications/")) return false;
  response.writeHead(202).end();
  return true;
}

/** Answers the modern question. */
export function greetModern({ rpc, id, response }: Received): boolean {
  if (rpc !== "server/discover") return false;
  const result = { resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: {} };
  sendJson(response, rpcResult(id, result));
  return true;
}

export interface HttpSettings {
  readonly url: string;
  readonly protocol?: "auto" | "legacy" | "modern";
  readonly headers?: Readonly<Record<string, string>>;
  readonly authorizer?: ConnectOptions["authorizer"];
  readonly rememberEra?: EraMemory;
  readonly onRequest?: UpstreamListener["onRequest"];
  readonly capabilities?: JsonObject;
  readonly startTimeoutMs?: number;
}

export async function connect(settings: HttpSettings) {
  const log = createTestLog();
  const lost: string[] = [];
  const heard: ServerNotification[] = [];
  const upstream: UpstreamConnection = await connectUpstream(
    {
      id: "fake",
      transport: {
        kind: "http",
        url: settings.url,
        headers: settings.headers ?? {},
        oauth: undefined,
      },
      protocol: settings.protocol ?? "auto",
      env: {},
      startTimeoutMs: settings.startTimeoutMs ?? 20_000,
      capabilities: settings.capabilities ?? {},
      authorizer: settings.authorizer,
    },
    {
      watchdog: createWatchdog(process.platform),
      log,
      events: {
        onLost: (reason) => lost.push(reason),
        onNotification: (notification) => heard.push(notification),
        onRequest: settings.onRequest,
      },
      signal: new AbortController().signal,
      rememberEra: settings.rememberEra,
    },
  );
  cleanUps.push(() => upstream.close());
  const call = (tool: string, args: object = {}, wanted: Partial<UpstreamRequest> = {}) =>
    upstream.request({
      method: "tools/call",
      params: { name: JSON.stringify(tool), arguments: JSON.stringify(args) },
      name: tool,
      timeoutMs: 10_000,
      ...wanted,
    });
  return { upstream, log, lost, heard, call };
}
