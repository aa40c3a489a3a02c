import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import type { EndedSpan } from "../../../src/telemetry/tracing/span.ts";
import {
  formatTraceparent,
  isTracestate,
  parseTraceparent,
} from "../../../src/telemetry/tracing/trace-context.ts";
import { Tracer } from "../../../src/telemetry/tracing/tracer.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";
const parent = `00-${traceId}-${spanId}-01`;

describe("a traceparent", () => {
  test("is read and written", () => {
    const context = parseTraceparent(parent);
    expect(context).toEqual({ traceId, spanId, isSampled: true });
    expect(context && formatTraceparent(context)).toBe(parent);
    expect(parseTraceparent(`00-${traceId}-${spanId}-02`)?.isSampled).toBe(false);
  });

  test.each([
    ["nothing", undefined],
    ["an empty text", ""],
    ["version ff", `ff-${traceId}-${spanId}-01`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${spanId}-01`],
    ["a span of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
    ["capital letters", parent.toUpperCase()],
    ["more behind it", `${parent}-00`],
    ["a line end", `${parent}\n`],
  ])("is none: %s", (_, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});

describe("a tracestate", () => {
  test.each(["rojo=1", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "tenant@vendor=a b", "a=1, b=2"])(
    "is %s",
    (text) => {
      expect(isTracestate(text)).toBe(true);
    },
  );

  test.each([
    7,
    undefined,
    "",
    "rojo",
    "Rojo=1",
    "rojo=",
    "rojo=a=b",
    "rojo=ä",
    "rojo=1\n",
    `rojo=${"x".repeat(600)}`,
    Array.from({ length: 33 }, (_, place) => `k${place}=1`).join(","),
  ])("is not %j", (text) => {
    expect(isTracestate(text)).toBe(false);
  });
});

function openTracer(sampleRatio = 1, random = () => 0) {
  const ended: EndedSpan[] = [];
  const onEnd = (span: EndedSpan): void => void ended.push(span);
  const tracer = new Tracer({ clock: systemClock, random, sampleRatio, onEnd });
  return { tracer, ended };
}

const start = { kind: "server", name: "tools/call", attributes: {} } as const;

describe("a tracer", () => {
  test("takes the caller's word for whether a request is traced", () => {
    const never = openTracer(0).tracer;
    expect(never.enter(start, parent, undefined)?.context.traceId).toBe(traceId);
    const always = openTracer(1).tracer;
    expect(always.enter(start, `00-${traceId}-${spanId}-00`, undefined)).toBeUndefined();
  });

  test("traces a share of what nobody speaks of, under a trace of its own", () => {
    expect(openTracer(0.5, () => 0.5).tracer.enter(start, undefined, undefined)).toBeUndefined();
    const { tracer, ended } = openTracer(0.5, () => 0.49);
    tracer.enter(start, undefined, "rojo=1")?.end();
    expect(ended).toMatchObject([{ parentSpanId: undefined, tracestate: undefined }]);
    expect(ended[0]?.context.traceId).toMatch(/^[\da-f]{32}$/);
  });

  test("links to what else it has to do with, and not to its own parent", () => {
    const other = `00-${traceId}-${"c".repeat(16)}-00`;
    const linksOf = (link: string): unknown => {
      const { tracer, ended } = openTracer();
      const about = { ...start, link: { traceparent: link, tracestate: "rojo=2" } };
      tracer.enter(about, parent, "rojo=1")?.end();
      expect(ended[0]).toMatchObject({ parentSpanId: spanId, tracestate: "rojo=1" });
      return ended[0]?.links;
    };
    const context = { traceId, spanId: "c".repeat(16), isSampled: false };
    expect(linksOf(other)).toEqual([{ context, tracestate: "rojo=2" }]);
    expect(linksOf(parent.replace(/1$/, "0"))).toEqual([]);
    expect(linksOf("none")).toEqual([]);
  });

  test("finds a request by its traceparent until it has ended, and no other trace's", () => {
    const { tracer, ended } = openTracer();
    const span = tracer.enter(start, parent, undefined);
    const own = span === undefined ? "" : formatTraceparent(span.context);
    expect(tracer.openOf(own)).toBe(span);
    expect(tracer.openOf(own.replace(traceId, "a".repeat(32)))).toBeUndefined();
    expect(tracer.openOf(parent)).toBeUndefined();
    span?.end();
    span?.end("twice");
    expect(tracer.openOf(own)).toBeUndefined();
    expect(ended).toMatchObject([{ errorType: undefined, parentSpanId: spanId }]);
  });
});
