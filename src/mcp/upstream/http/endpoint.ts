/**
 * The MCP endpoint of one upstream server: sockets, headers, authorization. It tells apart what
 * never left, what was refused, and what may have been done. Redirects are not followed, and neither
 * headers nor bodies reach a message or a log.
 */
import type { Dispatcher } from "undici";
import { Pool, buildConnector } from "undici";
import { GatewayError, codeOf, messageOf } from "../../../errors.ts";
import { describeTlsFailure } from "../authority.ts";
import type { HttpAuthorizer } from "./http-authorizer.ts";
import { readBody } from "./read-body.ts";

export interface EndpointOptions {
  readonly url: string;
  /** Of the configuration; secrets among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly authorizer: HttpAuthorizer | undefined;
  /** PEM of the only authority whose certificates count; `undefined`: those that Node trusts. */
  readonly ca?: string | undefined;
}

export interface EndpointRequest {
  readonly method: "POST" | "GET" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Messages have sockets of their own, since calls wait for the answers among them. */
  readonly lane: "calls" | "messages";
  readonly signal: AbortSignal;
}

export type EndpointResponse = Dispatcher.ResponseData;

export type EndpointReply =
  | { readonly kind: "response"; readonly response: EndpointResponse }
  | { readonly kind: "unauthorized"; readonly reason: string }
  /** Nothing was sent. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** It may have been sent. */
  | { readonly kind: "broken"; readonly reason: string };

const callSockets = 56;
const messageSockets = 8;
const connectTimeoutMs = 10_000;
const maxHeaderBytes = 64 * 1024;
const maxErrorBytes = 64 * 1024;
/** A header that cannot be sent, among others. */
const invalidArgument = "UND_ERR_INVALID_ARG";

class UnreachableError extends Error {}

export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #path: string;
  readonly #lanes: Readonly<Record<EndpointRequest["lane"], Pool>>;

  constructor(options: EndpointOptions) {
    const url = new URL(options.url);
    this.#options = options;
    this.#path = `${url.pathname}${url.search}`;
    this.#lanes = {
      calls: openPool(url.origin, callSockets, options.ca),
      messages: openPool(url.origin, messageSockets, options.ca),
    };
  }

  /** Sends one HTTP request, once more where new authorization is there. Never rejects. */
  async send(request: EndpointRequest): Promise<EndpointReply> {
    const first = await this.#attempt(request);
    const challenge = challengeOf(first);
    if (first.kind !== "response" || challenge === undefined) return first;
    await readBody(first.response.body, maxErrorBytes);
    const reason = `it answered with HTTP status ${challenge.status}`;
    const verdict = await this.#ask(challenge);
    if (verdict !== "retry") return { kind: "unauthorized", reason: verdict ?? reason };
    const second = await this.#attempt(request);
    // The server has seen the first.
    if (second.kind === "unreachable") return { ...second, kind: "broken" };
    if (second.kind !== "response" || challengeOf(second) === undefined) return second;
    await readBody(second.response.body, maxErrorBytes);
    return { kind: "unauthorized", reason: `${reason}, with new authorization too` };
  }

  /** Breaks every connection. */
  async close(): Promise<void> {
    await Promise.all([this.#lanes.calls.destroy(), this.#lanes.messages.destroy()]);
  }

  async #attempt(request: EndpointRequest): Promise<EndpointReply> {
    const { authorizer } = this.#options;
    let authorization: Readonly<Record<string, string>> = {};
    try {
      if (authorizer !== undefined) authorization = await authorizer.headers();
    } catch (thrown) {
      return { kind: "unauthorized", reason: reasonOf(thrown) };
    }
    const { method, body, signal, lane } = request;
    const headers = lowerCased(this.#options.headers, authorization, request.headers);
    try {
      const response = await this.#lanes[lane].request({
        method,
        path: this.#path,
        headers,
        signal,
        ...(body === undefined ? {} : { body }),
      });
      response.body.on("error", () => {});
      return { kind: "response", response };
    } catch (thrown) {
      const wasSent = !(thrown instanceof UnreachableError || codeOf(thrown) === invalidArgument);
      const kind = wasSent ? "broken" : "unreachable";
      return { kind, reason: `the HTTP request failed: ${messageOf(thrown)}` };
    }
  }

  /** `undefined` where there is nothing new to send; a sentence where asking failed. */
  async #ask(challenge: Challenge): Promise<string | undefined> {
    try {
      const verdict = await this.#options.authorizer?.onUnauthorized(challenge);
      return verdict === "retry" ? "retry" : undefined;
    } catch (thrown) {
      return reasonOf(thrown);
    }
  }
}

type Challenge = Parameters<HttpAuthorizer["onUnauthorized"]>[0];

function challengeOf(reply: EndpointReply): Challenge | undefined {
  if (reply.kind !== "response") return undefined;
  const { statusCode: status, headers } = reply.response;
  if (status !== 401 && status !== 403) return undefined;
  const found = headers["www-authenticate"];
  return { status, wwwAuthenticate: Array.isArray(found) ? found.join(", ") : found };
}

/** Errors of the gateway are written for people; others may hold what must not be shown. */
function reasonOf(thrown: unknown): string {
  return thrown instanceof GatewayError ? thrown.message : "no authorization could be had";
}

/** Later ones win, whatever the case of their names. */
function lowerCased(...all: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const entries = all.flatMap((headers) => Object.entries(headers));
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

function unreachable(error: Error): UnreachableError {
  return new UnreachableError(describeTlsFailure(error) ?? messageOf(error), { cause: error });
}

function openPool(origin: string, connections: number, ca: string | undefined): Pool {
  const tls = ca === undefined ? {} : { ca };
  const connect = buildConnector({ timeout: connectTimeoutMs, ...tls });
  return new Pool(origin, {
    connections,
    // Deadlines are the connection's: an answer may take long, and a stream stays open.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: maxHeaderBytes,
    connect: (options, callback) => {
      connect(options, (...[error, socket]) => {
        if (error === null) callback(null, socket);
        else callback(unreachable(error), null);
      });
    },
  });
}
