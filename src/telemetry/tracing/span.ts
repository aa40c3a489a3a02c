/**
 * One span, as it is handed on when it has ended: names, times, ids and results of the gateway's own;
 * never arguments, results or who called.
 */
import type { TraceContext } from "./trace-context.ts";

export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

export type SpanKind = "internal" | "server" | "client";

export interface SpanEvent {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly attributes: Attributes;
}

/** Another span that it has to do with. */
export interface SpanLink {
  readonly context: TraceContext;
  readonly tracestate: string | undefined;
}

export interface EndedSpan {
  readonly context: TraceContext;
  readonly parentSpanId: string | undefined;
  readonly tracestate: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  /** Class of the error it ended with. */
  readonly errorType: string | undefined;
}

/** A span that has not ended; `end` counts once. */
export interface OpenSpan {
  readonly context: TraceContext;
  readonly tracestate: string | undefined;
  /** What it is about, for its name: `tools/call` becomes `tools/call NAME`. */
  readonly target: (target: string) => void;
  readonly set: (attributes: Attributes) => void;
  readonly attribute: (name: string) => AttributeValue | undefined;
  readonly event: (event: SpanEvent) => void;
  readonly end: (errorType?: string) => void;
}
