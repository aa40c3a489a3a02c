/**
 * Makes spans and finds those that are open by their id, so that the parts of a request need to hand
 * on no more than a `traceparent`. Whether a request is traced is its caller's word; where the caller
 * says nothing a share of them is.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../contract/ambient.ts";
import type {
  AttributeValue,
  Attributes,
  EndedSpan,
  OpenSpan,
  SpanEvent,
  SpanKind,
} from "./span.ts";
import type { TraceContext, TransportTrace } from "./trace-context.ts";
import { parseTraceparent } from "./trace-context.ts";

export interface TracerOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** In [0, 1], where the caller says nothing. */
  readonly sampleRatio: number;
  readonly onEnd: (span: EndedSpan) => void;
}

export interface SpanStart {
  readonly kind: SpanKind;
  readonly name: string;
  readonly attributes: Attributes;
  /** Default: now. */
  readonly startMs?: number;
  /** Of another span that it has to do with. */
  readonly link?: TransportTrace | undefined;
}

export class Tracer {
  readonly #options: TracerOptions;
  /** By span id; those that requests came with. */
  readonly #open = new Map<string, OpenSpan>();

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /** A span of a request from outside; `undefined` where it is not to be traced. */
  enter(
    start: SpanStart,
    traceparent: string | undefined,
    tracestate: string | undefined,
  ): OpenSpan | undefined {
    const parent = parseTraceparent(traceparent);
    const { random, sampleRatio } = this.#options;
    const isTraced = parent === undefined ? random() < sampleRatio : parent.isSampled;
    if (!isTraced) return undefined;
    // Without a parent it belongs to nothing.
    const span = this.#start(start, parent, parent && tracestate, () => {
      this.#open.delete(span.context.spanId);
    });
    this.#open.set(span.context.spanId, span);
    return span;
  }

  /** The open span of a request that this `traceparent` names. */
  openOf(traceparent: string | undefined): OpenSpan | undefined {
    const named = parseTraceparent(traceparent);
    const found = named && this.#open.get(named.spanId);
    return found?.context.traceId === named?.traceId ? found : undefined;
  }

  /** A span within an open one. */
  within(parent: OpenSpan, start: SpanStart): OpenSpan {
    return this.#start(start, parent.context, parent.tracestate, () => {});
  }

  #start(
    { kind, name, attributes, startMs, link }: SpanStart,
    parent: TraceContext | undefined,
    tracestate: string | undefined,
    ended: () => void,
  ): OpenSpan {
    const { clock, onEnd } = this.#options;
    const traceId = parent?.traceId ?? newHex(16);
    const context = { traceId, spanId: newHex(8), isSampled: true };
    const began = startMs ?? clock.nowMs();
    // Durations come from the clock that nobody sets.
    const beganMonotonicMs = clock.monotonicMs() - (clock.nowMs() - began);
    const said: Record<string, AttributeValue> = { ...attributes };
    const events: SpanEvent[] = [];
    const about = { target: "", isEnded: false };
    return {
      context,
      tracestate,
      target: (target) => void (about.target = ` ${target}`),
      set: (more) => void Object.assign(said, more),
      attribute: (key) => said[key],
      event: (event) => void events.push(event),
      end: (errorType) => {
        if (about.isEnded) return;
        about.isEnded = true;
        ended();
        onEnd({
          context,
          parentSpanId: parent?.spanId,
          tracestate,
          name: `${name}${about.target}`,
          kind,
          startMs: began,
          endMs: began + Math.max(0, clock.monotonicMs() - beganMonotonicMs),
          attributes: said,
          events,
          links: linksOf(link, parent),
          errorType,
        });
      },
    };
  }
}

/** What is the parent already is no link. */
function linksOf(link: TransportTrace | undefined, parent: TraceContext | undefined) {
  const context = parseTraceparent(link?.traceparent);
  const isParent = context?.spanId === parent?.spanId && context?.traceId === parent?.traceId;
  return context === undefined || isParent ? [] : [{ context, tracestate: link?.tracestate }];
}

function newHex(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}
