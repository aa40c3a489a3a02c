/**
 * The streams of one legacy session: one for each POST that needed one, and those that the client
 * opened to hear what belongs to no request. Each message goes to exactly one of them. All of them
 * can be resumed for a while, within the bounds of the session's replay buffer.
 */
import type { ServerResponse } from "node:http";
import type { OutgoingMessage } from "../outgoing-message.ts";
import type { ResponseHeaders } from "./answer-json.ts";
import type { EventStream, EventStreams } from "./event-stream.ts";
import type { HttpLimits } from "./http-limits.ts";
import type { MessageStream } from "./reply.ts";
import type { ReplayBuffer } from "./replay-buffer.ts";
import type { ResumableStream } from "./resumable-stream.ts";
import { createResumableStream } from "./resumable-stream.ts";

export interface SessionStreamsDeps {
  /** Begins every event id; unique among sessions. */
  readonly tag: string;
  readonly streams: EventStreams;
  readonly replay: ReplayBuffer;
  readonly limits: HttpLimits;
  readonly nowMs: () => number;
}

/** `ended`: there is nothing more to hear on that stream. */
export type ListenOutcome = "listening" | "ended" | "unknown_event";

interface EventPlace {
  readonly name: string;
  readonly sequence: number;
}

const standalonePrefix = "g";
const requestPrefix = "p";

/** The streams of one session; `close` ends their connections and forgets what they said. */
export class SessionStreams {
  readonly #deps: SessionStreamsDeps;
  readonly #known = new Map<string, ResumableStream>();
  readonly #standalone = new Set<ResumableStream>();
  /** Messages for a stream that the client has not opened yet. */
  readonly #waiting: OutgoingMessage[] = [];
  #count = 0;

  constructor(deps: SessionStreamsDeps) {
    this.#deps = deps;
  }

  /** True while the client hears what belongs to no request. */
  get isListening(): boolean {
    return this.#newestStandalone() !== undefined;
  }

  get isBusy(): boolean {
    return this.#newestStandalone()?.connection?.isBusy ?? false;
  }

  /** Opens the stream of a POST. */
  openForRequest(
    response: ServerResponse,
    headers: ResponseHeaders,
    isPrimed: boolean,
  ): MessageStream {
    const stream = this.#create(requestPrefix);
    const connection = this.#connect(stream, response, headers);
    stream.start(connection, isPrimed ? this.#deps.limits.retryMs : undefined);
    return {
      get isBusy() {
        return stream.connection?.isBusy ?? false;
      },
      send: stream.send,
      end: () => {
        stream.end();
        this.#forgetUnkept(stream);
      },
    };
  }

  /** Opens a stream of the client's own, or goes on with one that was interrupted. */
  listen(
    response: ServerResponse,
    headers: ResponseHeaders,
    lastEventId: string | undefined,
    isPrimed: boolean,
  ): ListenOutcome {
    const place = lastEventId === undefined ? undefined : this.#readEventId(lastEventId);
    if (lastEventId !== undefined && place === undefined) return "unknown_event";
    const known = place === undefined ? undefined : this.#known.get(place.name);
    if (place !== undefined && known !== undefined) {
      return this.#resume(known, place.sequence, response, headers);
    }
    if (place !== undefined && !place.name.startsWith(standalonePrefix)) return "unknown_event";
    this.#makeRoom();
    const stream = this.#create(standalonePrefix);
    const connection = this.#connect(stream, response, headers);
    stream.start(connection, isPrimed ? this.#deps.limits.retryMs : undefined);
    this.#flushWaiting(stream);
    return "listening";
  }

  /** Says what belongs to no request, or keeps it until somebody listens. */
  send(message: OutgoingMessage): void {
    const stream = this.#newestStandalone();
    if (stream !== undefined) return stream.send(message.parts);
    if (this.#waiting.length >= this.#deps.limits.maxWaitingMessages) this.#waiting.shift();
    this.#waiting.push(message);
  }

  /** Ends what is open only because the client listens. */
  endStandalone(): void {
    for (const stream of this.#standalone) stream.connection?.end();
  }

  /** Forgets streams that nobody came back to. */
  sweep(): void {
    const limitMs = this.#deps.nowMs() - this.#deps.limits.replayKeptMs;
    for (const stream of this.#known.values()) {
      const isOver = stream.isEnded || this.#standalone.has(stream);
      if (isOver && (stream.quietSinceMs ?? Infinity) <= limitMs) this.#forget(stream);
      else this.#forgetUnkept(stream);
    }
  }

  close(): void {
    for (const stream of this.#known.values()) stream.end();
    this.#known.clear();
    this.#standalone.clear();
    this.#deps.replay.clear();
  }

  #create(prefix: string): ResumableStream {
    this.#count += 1;
    const { tag, replay, nowMs } = this.#deps;
    const name = `${prefix}${this.#count}`;
    const eventId = (sequence: number): string => `${tag}-${name}-${sequence}`;
    const stream = createResumableStream({ name, eventId, replay, nowMs });
    this.#known.set(name, stream);
    if (prefix === standalonePrefix) this.#standalone.add(stream);
    return stream;
  }

  #connect(
    stream: ResumableStream,
    response: ServerResponse,
    headers: ResponseHeaders,
  ): EventStream {
    const connection: EventStream = this.#deps.streams.open(response, headers, () =>
      stream.lose(connection),
    );
    return connection;
  }

  #resume(
    stream: ResumableStream,
    after: number,
    response: ServerResponse,
    headers: ResponseHeaders,
  ): ListenOutcome {
    const missed = this.#deps.replay.after(stream.name, after);
    if (stream.isEnded && missed.length === 0) return "ended";
    stream.resume(this.#connect(stream, response, headers), after);
    if (this.#standalone.has(stream)) this.#flushWaiting(stream);
    return "listening";
  }

  #readEventId(id: string): EventPlace | undefined {
    const match = /^([\da-f]{1,32})-([gp]\d{1,9})-(\d{1,15})$/.exec(id);
    if (match === null || match[1] !== this.#deps.tag) return undefined;
    return { name: match[2] ?? "", sequence: Number(match[3]) };
  }

  #flushWaiting(stream: ResumableStream): void {
    for (const message of this.#waiting.splice(0)) stream.send(message.parts);
  }

  #newestStandalone(): ResumableStream | undefined {
    return this.#heard().at(-1);
  }

  #heard(): readonly ResumableStream[] {
    return [...this.#standalone].filter(({ connection }) => connection?.isOpen === true);
  }

  #makeRoom(): void {
    const heard = this.#heard();
    if (heard.length >= this.#deps.limits.maxStandaloneStreams) heard[0]?.connection?.end();
  }

  /** An ended stream of which nothing is kept has nothing to come back for. */
  #forgetUnkept(stream: ResumableStream): void {
    if (stream.isEnded && !this.#deps.replay.has(stream.name)) this.#known.delete(stream.name);
  }

  #forget(stream: ResumableStream): void {
    this.#known.delete(stream.name);
    this.#standalone.delete(stream);
    this.#deps.replay.forget(stream.name);
  }
}
