/**
 * A stream of a legacy session that outlives its connection (2025-11-25 transports, "Resumability
 * and Redelivery"): events have ids that name the stream and their number, and a client that comes
 * back gets what it missed of this stream, on one connection at a time.
 */
import { encodeEvent, encodePriming } from "./encode-event.ts";
import type { EventStream } from "./event-stream.ts";
import type { ReplayBuffer } from "./replay-buffer.ts";

export interface ResumableStream {
  readonly name: string;
  readonly connection: EventStream | undefined;
  /** When it ended, or lost its connection; `undefined` while it is being heard. */
  readonly quietSinceMs: number | undefined;
  readonly isEnded: boolean;
  /** Starts the first connection; `retryMs` where the client's revision knows events without data. */
  readonly start: (connection: EventStream, retryMs: number | undefined) => void;
  /** Goes on with another connection after the event with that number. */
  readonly resume: (connection: EventStream, after: number) => void;
  /** To be told when a connection closed. */
  readonly lose: (connection: EventStream) => void;
  readonly send: (parts: readonly (string | Buffer)[]) => void;
  readonly end: () => void;
}

/** What a stream is made of. */
export interface StreamParts {
  /** Unique in its session. */
  readonly name: string;
  readonly eventId: (sequence: number) => string;
  readonly replay: ReplayBuffer;
  readonly nowMs: () => number;
}

/** Makes a stream that nobody hears yet. */
export function createResumableStream(parts: StreamParts): ResumableStream {
  const { name, eventId, replay, nowMs } = parts;
  let connection: EventStream | undefined;
  let lostAtMs: number | undefined = nowMs();
  let endedAtMs: number | undefined;
  let sequence = 0;

  function connect(next: EventStream): void {
    const earlier = connection;
    connection = next;
    lostAtMs = undefined;
    earlier?.end();
  }

  return {
    name,
    get connection() {
      return connection;
    },
    get quietSinceMs() {
      return endedAtMs ?? lostAtMs;
    },
    get isEnded() {
      return endedAtMs !== undefined;
    },
    start: (next, retryMs) => {
      connect(next);
      if (retryMs !== undefined) next.write([encodePriming(eventId(sequence), retryMs)]);
    },
    resume: (next, after) => {
      connect(next);
      for (const event of replay.after(name, after)) next.write([event]);
      if (endedAtMs !== undefined) next.end();
    },
    lose: (lost) => {
      if (connection !== lost) return;
      connection = undefined;
      lostAtMs = nowMs();
    },
    send: (message) => {
      if (endedAtMs !== undefined) return;
      sequence += 1;
      const event = encodeEvent(eventId(sequence), message);
      replay.keep(name, sequence, event);
      connection?.write(event);
    },
    end: () => {
      if (endedAtMs !== undefined) return;
      endedAtMs = nowMs();
      connection?.end();
    },
  };
}
