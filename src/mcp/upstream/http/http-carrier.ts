/**
 * Messages over Streamable HTTP: each its own POST. A legacy server may bind them to a session and
 * keep a standing stream; a modern one has neither, and a request is taken back by closing its
 * stream. How many messages may wait to be sent is bounded.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../../contract/ambient.ts";
import type { Carrier, CarrierSink, OutgoingRequest, Speech } from "../carrier.ts";
import { describeReply } from "../failed.ts";
import type { Endpoint, EndpointResponse } from "./endpoint.ts";
import { exchange, failureOf } from "./exchange.ts";
import { readBody } from "./read-body.ts";
import { getHeaders, messageHeaders } from "./request-headers.ts";
import { keepStandingStream } from "./standing-stream.ts";
import { replyOfStatus } from "./status-reply.ts";

export interface HttpCarrierDeps {
  readonly endpoint: Endpoint;
  readonly log: Log;
  readonly sink: () => CarrierSink;
  /** The server does not know the session any more. */
  readonly onLost: (reason: string) => void;
}

const maxWaitingPosts = 256;
const maxWaitingBytes = 32 * 1024 * 1024;
const postTimeoutMs = 30_000;
const standingPatienceMs = 500;
const deleteTimeoutMs = 1500;
const maxIgnoredBytes = 64 * 1024;
const plainSession = /^[\x21-\x7e]{1,1024}$/;

/** Owns the endpoint's session, not the endpoint. */
export class HttpCarrier implements Carrier {
  readonly #deps: HttpCarrierDeps;
  readonly #exchanges = new Map<number, AbortController>();
  readonly #standing = new AbortController();
  #speech: Speech = { era: "legacy", protocolVersion: undefined };
  #session: string | undefined;
  #waitingPosts = 0;
  #waitingBytes = 0;

  constructor(deps: HttpCarrierDeps) {
    this.#deps = deps;
  }

  refusal(): string | undefined {
    return undefined;
  }

  speak(speech: Speech): void {
    this.#speech = speech;
  }

  send(outgoing: OutgoingRequest): void {
    const { endpoint, log } = this.#deps;
    const controller = new AbortController();
    this.#exchanges.set(outgoing.id, controller);
    const parts = {
      endpoint,
      sink: this.#deps.sink(),
      log,
      session: () => this.#session,
      onGreeted: (response: EndpointResponse) => this.#takeSession(response),
      onSessionLost: () => this.#loseSession(),
    };
    void exchange(parts, outgoing, controller.signal).finally(() =>
      this.#exchanges.delete(outgoing.id),
    );
  }

  abandon(id: number, notice: string | undefined): void {
    if (this.#speech.era === "legacy" && notice !== undefined) void this.post(notice);
    this.#exchanges.get(id)?.abort();
  }

  async post(text: string): Promise<string | undefined> {
    const { log } = this.#deps;
    if (this.#waitingPosts >= maxWaitingPosts || this.#waitingBytes > maxWaitingBytes) {
      log.warn({}, "too many messages wait for an upstream; one was dropped");
      return "too many messages wait to be sent";
    }
    this.#waitingPosts += 1;
    this.#waitingBytes += text.length;
    const reason = await this.#deliver(text);
    this.#waitingPosts -= 1;
    this.#waitingBytes -= text.length;
    if (reason !== undefined) log.warn({ reason }, "message to an upstream was not taken");
    return reason;
  }

  /**
   * Opens the standing stream of a legacy server; resolves when it is open, or when the server has
   * none, or is slow to say so. What a server says there before, some servers drop.
   */
  async listen(): Promise<void> {
    const { endpoint, log } = this.#deps;
    const isAnswered = new AbortController();
    const parts = {
      endpoint,
      sink: this.#deps.sink(),
      log,
      speech: this.#speech,
      session: this.#session,
      onSessionLost: () => this.#loseSession(),
      onAnswered: () => isAnswered.abort(),
    };
    void keepStandingStream(parts, this.#standing.signal);
    await delay(standingPatienceMs, undefined, { signal: isAnswered.signal }).catch(() => {});
  }

  /** Ends streams and session; the endpoint is closed by whoever opened it. */
  async close(): Promise<void> {
    this.#abort();
    if (this.#session === undefined) return;
    const headers = getHeaders(this.#speech, this.#session, undefined);
    this.#session = undefined;
    await Promise.race([this.#delete(headers), delay(deleteTimeoutMs, undefined, { ref: false })]);
  }

  async #delete(headers: Readonly<Record<string, string>>): Promise<void> {
    const signal = AbortSignal.timeout(deleteTimeoutMs);
    const { endpoint } = this.#deps;
    const reply = await endpoint.send({ method: "DELETE", headers, lane: "messages", signal });
    if (reply.kind === "response") await readBody(reply.response.body, maxIgnoredBytes);
  }

  async #deliver(text: string): Promise<string | undefined> {
    const reply = await this.#deps.endpoint.send({
      method: "POST",
      headers: messageHeaders(this.#speech, this.#session),
      body: text,
      lane: "messages",
      signal: AbortSignal.timeout(postTimeoutMs),
    });
    if (reply.kind !== "response") return describeReply(failureOf(reply));
    const { response } = reply;
    if (response.statusCode >= 200 && response.statusCode < 300) {
      await readBody(response.body, maxIgnoredBytes);
      return undefined;
    }
    const status = await replyOfStatus(response, this.#session !== undefined);
    if (status.isSessionLost) this.#loseSession();
    return describeReply(status.reply);
  }

  #takeSession({ headers }: EndpointResponse): void {
    const found = headers["mcp-session-id"];
    if (typeof found === "string" && plainSession.test(found)) this.#session = found;
  }

  #loseSession(): void {
    if (this.#session === undefined) return;
    this.#session = undefined;
    this.#abort();
    this.#deps.onLost("the server does not know the session any more");
  }

  #abort(): void {
    this.#standing.abort();
    for (const controller of this.#exchanges.values()) controller.abort();
  }
}
