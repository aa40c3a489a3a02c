/**
 * What the HTTP front puts up with at most. None of it is a setting: the few that an operator has a
 * reason to change are in the configuration (`http`).
 */

export interface HttpLimits {
  readonly maxConnections: number;
  /** Of all headers of a request together: a token of 16 KiB and what goes with it. */
  readonly maxHeaderBytes: number;
  /** Until the headers of a request are there. */
  readonly headersTimeoutMs: number;
  /** Until the whole request is there. */
  readonly requestTimeoutMs: number;
  /** Longer than the idle time of the usual load balancers, which is 60 s. */
  readonly keepAliveTimeoutMs: number;
  readonly maxInFlightPerSession: number;
  readonly maxInFlightPerPrincipal: number;
  /** A request that is not answered by then gets a stream; before, its answer is one JSON object. */
  readonly streamAfterMs: number;
  /** The same for a modern request: an answer on a stream can no longer choose its HTTP status. */
  readonly modernStreamAfterMs: number;
  /** Comments that keep intermediaries from closing a quiet stream. */
  readonly commentEveryMs: number;
  /** How long a client waits before it resumes a stream. */
  readonly retryMs: number;
  /** A stream whose client leaves more than this unread is cut. */
  readonly maxUnreadBytes: number;
  readonly maxStandaloneStreams: number;
  /** Messages that wait for a client to open a stream of its own. */
  readonly maxWaitingMessages: number;
  readonly replayEvents: number;
  readonly replayBytes: number;
  /** Of all sessions together. */
  readonly replayTotalBytes: number;
  /** After the end of a stream. */
  readonly replayKeptMs: number;
  readonly sweepEveryMs: number;
  /** For requests in flight when the gateway is told to end. */
  readonly graceMs: number;
}

export const httpLimits: HttpLimits = {
  maxConnections: 20_000,
  maxHeaderBytes: 32 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  maxInFlightPerSession: 256,
  maxInFlightPerPrincipal: 1024,
  streamAfterMs: 1000,
  modernStreamAfterMs: 10_000,
  commentEveryMs: 15_000,
  retryMs: 1000,
  maxUnreadBytes: 16 * 1024 * 1024,
  maxStandaloneStreams: 8,
  maxWaitingMessages: 64,
  replayEvents: 1000,
  replayBytes: 4 * 1024 * 1024,
  replayTotalBytes: 64 * 1024 * 1024,
  replayKeptMs: 5 * 60_000,
  sweepEveryMs: 15_000,
  graceMs: 25_000,
};
