/**
 * A real HTTP front with real sessions on a free port of loopback, before a gateway that answers
 * what the test says, and clients that send exactly what they are told to.
 */
import type { IncomingMessage } from "node:http";
import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { createParser } from "eventsource-parser";
import { onTestFinished } from "vitest";
import type { HttpConfig } from "../../../../src/config/config.ts";
import { principalOf } from "../../../../src/contract/principal.ts";
import type { Readiness } from "../../../../src/mcp/downstream/http/front.ts";
import type { HttpFrontOptions } from "../../../../src/mcp/downstream/http/serve-http.ts";
import { serveHttp } from "../../../../src/mcp/downstream/http/serve-http.ts";
import { createTestLog } from "../../../support/log.ts";
import type { Act, FakeGateway } from "./fake-gateway.ts";
import { createFakeGateway } from "./fake-gateway.ts";

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  /** `undefined` takes a usual header away. */
  readonly headers?: Headers;
  readonly body?: unknown;
}

/** A message from the front, with the members that tests look at. */
export interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly progress?: unknown; readonly data?: unknown };
  readonly result?: {
    readonly content?: readonly { readonly text: string }[];
    readonly resultType?: unknown;
    readonly note?: unknown;
  };
  readonly error?: { readonly code: number; readonly data?: unknown };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** `{}` where the body is no JSON. */
  readonly json: Message;
}

export interface SentEvent {
  readonly id: string | undefined;
  readonly data: string;
}

export interface OpenStream {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly events: SentEvent[];
  readonly comments: string[];
  readonly retries: number[];
  /** Messages among the events. */
  readonly messages: () => readonly Message[];
  readonly ended: Promise<void>;
  readonly disconnect: () => void;
  readonly response: IncomingMessage;
}

export interface OpenFront extends FakeGateway {
  readonly url: string;
  readonly port: number;
  readonly log: ReturnType<typeof createTestLog>;
  readonly state: { readiness: Readiness; nowMs: number };
  readonly close: () => Promise<void>;
  readonly send: (sent: Sent) => Promise<Answer>;
  readonly stream: (sent: Sent) => Promise<OpenStream>;
}

export interface FrontSettings {
  readonly act?: Act;
  readonly http?: Partial<HttpConfig>;
  readonly limits?: NonNullable<HttpFrontOptions["limits"]>;
  readonly authenticate?: HttpFrontOptions["authenticate"];
  readonly metadata?: object;
}

const httpDefaults: HttpConfig = {
  publicUrl: undefined,
  allowedHosts: [],
  allowedOrigins: [],
  maxBodyBytes: 4 * 1024 * 1024,
  maxSessions: 100,
  sessionIdleMs: 60_000,
  authorization: undefined,
};

export const usualHeaders = {
  "Content-Type": "application/json",
  Accept: "application/json, text/event-stream",
} as const;

/** Serves until the test is over. */
export async function openFront(settings: FrontSettings = {}): Promise<OpenFront> {
  const fake = createFakeGateway(settings.act);
  const log = createTestLog();
  const state: OpenFront["state"] = { readiness: "ready", nowMs: 0 };
  const front = await serveHttp({
    gateway: fake.gateway,
    log,
    clock: { nowMs: () => state.nowMs, monotonicMs: () => state.nowMs },
    http: { ...httpDefaults, ...settings.http },
    authenticate: settings.authenticate ?? authenticate,
    protectedResourceMetadata: settings.metadata,
    readiness: () => state.readiness,
    listen: { host: "127.0.0.1", port: 0 },
    limits: { graceMs: 200, ...settings.limits },
  });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(async () => {
    agent.destroy();
    await front.close();
  });
  const { port, url } = front;
  return {
    ...fake,
    url,
    port,
    log,
    state,
    close: front.close,
    send: async (sent) => await readAnswer(await exchange(port, agent, sent)),
    stream: async (sent) => readStream(await exchange(port, agent, sent)),
  };
}

/** `Bearer NAME` is the user of that name; without a token it is alice. */
export const authenticate: HttpFrontOptions["authenticate"] = async ({ authorization }) => {
  const name = authorization?.replace("Bearer ", "") ?? "alice";
  if (name !== "nobody") return { ok: true, principal: principal(name), expiresAtMs: undefined };
  const wwwAuthenticate = 'Bearer error="invalid_token"';
  return { ok: false, status: 401, wwwAuthenticate, message: "the token is not known here" };
};

export function principal(user: string, servers?: readonly string[]) {
  return principalOf({
    tenant: "default",
    agent: {
      id: "bot",
      version: null,
      scope: "support",
      owner_team: "cx",
      model: null,
      parent: null,
      authenticated: true,
    },
    user: { id: user, groups: [], data_classifications_authorized: [] },
    servers: servers === undefined ? undefined : new Set(servers),
  });
}

function exchange(port: number, agent: Agent, sent: Sent): Promise<IncomingMessage> {
  const { method = "POST", path = "/mcp", headers = {}, body } = sent;
  const usual = method === "POST" ? usualHeaders : { Accept: "text/event-stream" };
  const all = { Host: `127.0.0.1:${port}`, ...usual, ...headers };
  const known = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: "127.0.0.1", port, path, method, agent, headers: Object.fromEntries(known) },
      resolve,
    );
    request.on("error", reject);
    if (body === undefined) request.end();
    else request.end(isText(body) ? body : JSON.stringify(body));
  });
}

function isText(body: unknown): body is string | Buffer {
  return typeof body === "string" || Buffer.isBuffer(body);
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString("utf8");
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) };
}

function readStream(response: IncomingMessage): OpenStream {
  const events: SentEvent[] = [];
  const comments: string[] = [];
  const retries: number[] = [];
  const parser = createParser({
    onEvent: ({ id, data }) => events.push({ id, data }),
    onComment: (comment) => comments.push(comment),
    onRetry: (retry) => retries.push(retry),
  });
  response.on("error", () => {});
  response.on("data", (chunk: Buffer) => parser.feed(chunk.toString("utf8")));
  const ended = new Promise<void>((resolve) => response.once("close", resolve));
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    comments,
    retries,
    messages: () => events.filter(({ data }) => data !== "").map(({ data }) => JSON.parse(data)),
    ended,
    disconnect: () => response.destroy(),
    response,
  };
}

function parse(text: string): Message {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Sends bytes as they are and resolves with everything that comes back until the end. */
export function sendBytes(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    socket.on("data", (chunk) => (received += chunk.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
    socket.write(text);
  });
}
