/**
 * One session of a legacy client over HTTP: its POSTs, its streams, and the session behind them. A
 * client that disconnects has not cancelled anything; it may come back for what it missed.
 */
import type { ServerResponse } from "node:http";
import type { Log } from "../../../contract/ambient.ts";
import type { Principal } from "../../../contract/principal.ts";
import type { ClientMessage, ClientRequest } from "../../wire/read-client-message.ts";
import type { RequestId } from "../../wire/rpc.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import type { SessionDeps } from "../session.ts";
import { Session } from "../session.ts";
import type { ResponseHeaders } from "./answer-json.ts";
import type { HttpLimits } from "./http-limits.ts";
import type { Refusal } from "./refusal.ts";
import { refuse } from "./refusal.ts";
import type { Reply } from "./reply.ts";
import { createReply } from "./reply.ts";
import type { ListenOutcome, SessionStreamsDeps } from "./session-streams.ts";
import { SessionStreams } from "./session-streams.ts";

export interface LegacySessionDeps extends Pick<SessionDeps, "gateway" | "principal"> {
  readonly id: string;
  readonly log: Log;
  readonly limits: HttpLimits;
  readonly streams: SessionStreamsDeps;
}

/** The first revision whose clients know an event without data. */
const primingVersion = "2025-11-25";

/** A session that outlives its connections; `close` ends and forgets it. */
export class LegacySession {
  readonly id: string;
  readonly principal: Principal;
  readonly #deps: LegacySessionDeps;
  readonly #session: Session;
  readonly #streams: SessionStreams;
  readonly #replies = new Map<RequestId, Reply>();
  #lastUsedMs: number;

  constructor(deps: LegacySessionDeps) {
    this.id = deps.id;
    this.principal = deps.principal;
    this.#deps = deps;
    this.#streams = new SessionStreams(deps.streams);
    this.#lastUsedMs = deps.streams.nowMs();
    this.#session = new Session({
      gateway: deps.gateway,
      log: deps.log,
      principal: deps.principal,
      sessionId: deps.id,
      send: (message) => this.#send(message),
      isBusy: (related) => this.#isBusy(related),
    });
  }

  /** False until the client was greeted. */
  get isGreeted(): boolean {
    return this.#session.protocolVersion !== undefined;
  }

  get inFlight(): number {
    return this.#replies.size;
  }

  /** Since when nothing happens; `undefined` while something does. */
  get idleSinceMs(): number | undefined {
    return this.inFlight > 0 || this.#streams.isListening ? undefined : this.#lastUsedMs;
  }

  isAnswering(id: RequestId): boolean {
    return this.#replies.has(id);
  }

  /** Serves a request on the response of its POST; resolves when it is dealt with. */
  async serve(
    request: ClientRequest,
    response: ServerResponse,
    headers: ResponseHeaders,
  ): Promise<void> {
    this.#touch();
    const reply = createReply({
      response,
      headers,
      streamAfterMs: this.#deps.limits.streamAfterMs,
      statusOf: () => 200,
      openStream: () => this.#streams.openForRequest(response, headers, this.#isPrimed()),
    });
    this.#replies.set(request.id, reply);
    await this.#session.receive(request);
    this.#replies.delete(request.id);
    reply.finish();
    this.#touch();
  }

  /** Takes a notification, an answer, or what was to be one. */
  async take(message: ClientMessage): Promise<void> {
    this.#touch();
    await this.#session.receive(message);
  }

  /** Serves a GET: the client's own stream, or the rest of an interrupted one. */
  listen(
    response: ServerResponse,
    headers: ResponseHeaders,
    lastEventId: string | undefined,
  ): ListenOutcome {
    this.#touch();
    response.once("close", () => this.#touch());
    return this.#streams.listen(response, headers, lastEventId, this.#isPrimed());
  }

  endStandalone(): void {
    this.#streams.endStandalone();
  }

  sweep(): void {
    this.#streams.sweep();
  }

  /** Cancels what is in flight, which hears why, and ends every connection. */
  close(why: Refusal): void {
    this.#session.close();
    for (const [id, reply] of this.#replies) {
      reply.abandon((response) => refuse(response, why, {}, id));
    }
    this.#streams.close();
  }

  #touch(): void {
    this.#lastUsedMs = this.#deps.streams.nowMs();
  }

  #isPrimed(): boolean {
    return (this.#session.protocolVersion ?? "") >= primingVersion;
  }

  #isBusy(related: RequestId | undefined): boolean {
    if (related === undefined) return this.#streams.isBusy;
    return this.#replies.get(related)?.isBusy() ?? false;
  }

  #send(message: OutgoingMessage): void {
    const { related } = message;
    if (related !== undefined) {
      this.#replies.get(related)?.send(message);
      return;
    }
    // What could not be read is answered on its own POST.
    if (!message.isAnswer) this.#streams.send(message);
  }
}
