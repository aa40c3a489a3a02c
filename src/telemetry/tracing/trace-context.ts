/**
 * W3C Trace Context, read strictly: what is not whole is no context. Of `tracestate` nothing is
 * understood; it is kept as it came or not at all.
 */

/** Place of one span in its trace. */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 of them. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** What a request's transport says of its own trace, beside the message: well formed, or not there. */
export interface TransportTrace {
  readonly traceparent: string;
  readonly tracestate: string | undefined;
}

const shape =
  /^(?!ff)[\da-f]{2}-(?<traceId>[\da-f]{32})-(?<spanId>[\da-f]{16})-(?<flags>[\da-f]{2})$/;
const zeros = /^0+$/;

/** The context of a `traceparent`; `undefined` for what is none. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const { traceId, spanId, flags } = shape.exec(text ?? "")?.groups ?? {};
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (zeros.test(traceId) || zeros.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The `traceparent` of a context. */
export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

/** True for a `traceparent` that names a span. */
export function isTraceparent(value: unknown): value is string {
  return typeof value === "string" && parseTraceparent(value) !== undefined;
}

const stateMaxCharacters = 512;
const stateMaxMembers = 32;
const stateKey = /^(?:[a-z][\w\-*/]{0,255}|[a-z\d][\w\-*/]{0,240}@[a-z][\w\-*/]{0,13})$/;
const stateValue = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** True for a `tracestate` that its grammar allows. */
export function isTracestate(text: unknown): text is string {
  if (typeof text !== "string" || text.length > stateMaxCharacters) return false;
  const members = text.split(",").map((member) => member.replaceAll(/^[ \t]+|[ \t]+$/g, ""));
  return members.length <= stateMaxMembers && members.every(isMember);
}

function isMember(member: string): boolean {
  const [, key = "", value = ""] = /^([^=]+)=(.+)$/.exec(member) ?? [];
  return stateKey.test(key) && stateValue.test(value) && key === key.toLowerCase();
}
