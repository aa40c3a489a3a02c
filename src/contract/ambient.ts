/**
 * What a stage may not take from the process itself and is handed instead.
 */

/** Wall and monotonic time. Only `src/config` and `src/cli` make a real one. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Milliseconds of a clock that never goes back; for durations and deadlines. */
  readonly monotonicMs: () => number;
}

/** Makes a new UUIDv7 (RFC 9562), lower case. */
export type NewId = () => string;

/** Structured log with constant lower-case messages; data goes into the object. */
export interface Log {
  readonly error: (data: object, message: string) => void;
  readonly warn: (data: object, message: string) => void;
  readonly info: (data: object, message: string) => void;
  readonly debug: (data: object, message: string) => void;
  readonly child: (bindings: object) => Log;
}
