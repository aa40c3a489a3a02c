/**
 * Upstream servers whose lists, answers, questions and losses a test decides, behind connections
 * that keep the promises of real ones: exactly one end for each request, cancellation included.
 */
import type { JsonObject } from "../../src/contract/json.ts";
import type { Connect } from "../../src/gateway/fleet/fleet-server-deps.ts";
import type {
  ClientAnswer,
  ServerNotification,
  UpstreamConnection,
  UpstreamConnectionEvents,
  UpstreamReply,
  UpstreamRequest,
} from "../../src/mcp/upstream/upstream-connection.ts";
import type { Era } from "../../src/mcp/wire/method-table.ts";
import { scanObject } from "../../src/mcp/wire/scan-object.ts";

/** What a server answers; `undefined`: what every server answers. */
export type Answer = (
  wanted: UpstreamRequest,
  connection: FakeConnection,
) => Promise<UpstreamReply> | UpstreamReply | undefined;

export interface FakeServerSettings {
  readonly era?: Era;
  readonly capabilities?: JsonObject;
  readonly instructions?: string;
  readonly serverInfo?: JsonObject;
  readonly tools?: readonly object[];
  readonly prompts?: readonly object[];
  readonly resources?: readonly object[];
  readonly resourceTemplates?: readonly object[];
  readonly answer?: Answer;
  /** Members of its entry in the configuration. */
  readonly config?: object;
}

export interface FakeConnection {
  readonly capabilities: JsonObject;
  readonly events: UpstreamConnectionEvents;
  readonly sent: UpstreamRequest[];
  readonly notified: string[];
  /** What this connection lists otherwise than the others. */
  readonly lists: Record<string, readonly object[]>;
  isClosed: boolean;
}

export interface FakeServer {
  readonly connections: FakeConnection[];
  /** Everything but lists, over all connections. */
  readonly sent: UpstreamRequest[];
  /** May be changed by a test; the next list is made of them. */
  readonly lists: Record<string, readonly object[]>;
  /** Kinds of lists that fail. */
  readonly failing: Set<string>;
  /** Resolves before a connection opens. */
  opening: Promise<void>;
  answer: Answer;
  /** What the next connection says it is. */
  serverInfo: JsonObject;
  /** Says something that belongs to no request, on every connection. */
  readonly say: (notification: ServerNotification) => void;
  /** Ends the newest connection. */
  readonly lose: () => void;
}

const listed: Readonly<Record<string, string>> = {
  "tools/list": "tools",
  "prompts/list": "prompts",
  "resources/list": "resources",
  "resources/templates/list": "resourceTemplates",
};
const everything: JsonObject = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};

/** A result as the wire would hand it on. */
export function result(value: object | string): UpstreamReply {
  const bytes = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  const scan = scanObject(bytes, 64);
  if (!scan.ok) throw new Error(scan.message);
  const parsed: Readonly<Record<string, unknown>> = JSON.parse(bytes.toString());
  return { kind: "result", result: { bytes, value: parsed, members: scan.members } };
}

/** A result of one text. */
export function text(words: string): UpstreamReply {
  return result({ content: [{ type: "text", text: words }] });
}

/** A server and the way to it; `onSent` hears of each request but lists. */
export function createFakeServer(
  settings: FakeServerSettings,
  onSent: (wanted: UpstreamRequest) => void,
): FakeServer & { readonly connect: Connect } {
  const { tools = [], prompts = [], resources = [], resourceTemplates = [] } = settings;
  const fake: FakeServer = {
    connections: [],
    sent: [],
    lists: { tools, prompts, resources, resourceTemplates },
    failing: new Set(),
    opening: Promise.resolve(),
    answer: settings.answer ?? (() => undefined),
    serverInfo: settings.serverInfo ?? {},
    say: (notification) => {
      for (const { events } of fake.connections) events.onNotification?.(notification);
    },
    lose: () => {
      const newest = fake.connections.findLast(({ isClosed }) => !isClosed);
      if (newest === undefined) throw new Error("expected an open connection");
      newest.isClosed = true;
      newest.events.onLost("as the test says");
    },
  };
  const connect: Connect = async (_, { capabilities, events, signal }) => {
    await Promise.race([fake.opening, cancelledBy(signal)]);
    if (signal.aborted) throw new Error("given up");
    const own = { capabilities, events, sent: [], notified: [], lists: {}, isClosed: false };
    fake.connections.push(own);
    return connectionOf(fake, own, settings, onSent);
  };
  return Object.assign(fake, { connect });
}

function connectionOf(
  fake: FakeServer,
  own: FakeConnection,
  { era = "legacy", capabilities = everything, instructions }: FakeServerSettings,
  onSent: (wanted: UpstreamRequest) => void,
): UpstreamConnection {
  const protocolVersion = era === "legacy" ? "2025-11-25" : "2026-07-28";
  return {
    greeting: { era, protocolVersion, capabilities, serverInfo: fake.serverInfo, instructions },
    request: async (wanted) => {
      const kind = listed[wanted.method];
      if (kind !== undefined) return listOf(fake, own, kind);
      own.sent.push(wanted);
      fake.sent.push(wanted);
      onSent(wanted);
      return await Promise.race([
        Promise.resolve(fake.answer(wanted, own) ?? usual(wanted)),
        cancelledBy(wanted.signal),
      ]);
    },
    notify: (method) => void own.notified.push(method),
    close: async () => {
      own.isClosed = true;
    },
  };
}

function listOf(fake: FakeServer, own: FakeConnection, kind: string): UpstreamReply {
  if (fake.failing.has(kind)) {
    return { kind: "error", error: { code: -32_603, message: "as the test says" } };
  }
  return result({ [kind]: own.lists[kind] ?? fake.lists[kind] ?? [] });
}

function usual(wanted: UpstreamRequest): Promise<UpstreamReply> | UpstreamReply {
  if (wanted.method !== "subscriptions/listen") return text("done");
  wanted.onNotification?.({ method: "notifications/subscriptions/acknowledged", params: {} });
  return new Promise(() => {});
}

function cancelledBy(signal: AbortSignal | undefined): Promise<UpstreamReply> {
  return new Promise((resolve) => {
    const end = (): void =>
      resolve({ kind: "failed", code: "cancelled", message: "it was cancelled" });
    if (signal?.aborted === true) end();
    signal?.addEventListener("abort", end, { once: true });
  });
}

/** Asks in the middle of a request, as a legacy server does. */
export async function askIn(
  wanted: UpstreamRequest,
  method: string,
  params: JsonObject,
  signal = new AbortController().signal,
  isAttributed = true,
): Promise<ClientAnswer> {
  if (wanted.onRequest === undefined) throw new Error("expected somebody to ask");
  return await wanted.onRequest({ method, params, signal, isAttributed });
}

/** A tool as servers list it. */
export function tool(name: string, more: object = {}): object {
  return { name, description: `the tool ${name}`, inputSchema: { type: "object" }, ...more };
}
