/**
 * Spans out of what a collector was sent.
 */
export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[];
  readonly events: readonly { name: string }[];
  readonly status: { code?: number };
}

/** All spans of one request to `/v1/traces`. */
export function spansOf(document: string): readonly SentSpan[] {
  const { resourceSpans } = JSON.parse(document);
  return resourceSpans.flatMap(({ scopeSpans }: { scopeSpans: { spans: SentSpan[] }[] }) =>
    scopeSpans.flatMap((scope) => scope.spans),
  );
}

/** The value of one attribute, whatever its type. */
export function attributeOf(span: SentSpan | undefined, key: string): unknown {
  const value = span?.attributes.find((one) => one.key === key)?.value;
  return value === undefined ? undefined : Object.values(value)[0];
}
