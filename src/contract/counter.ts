/**
 * A counter as a bundle's manifest declares it (`metadata.counters`): what is counted, for whom, in
 * which window, up to which limit. Read once and strictly, when a bundle is built and when it is
 * opened; whoever counts trusts what is here.
 */
import * as z from "zod/mini";
import { messageOf } from "../errors.ts";
import { actionTypes } from "./policy-input.ts";
import type { ActionType } from "./policy-input.ts";

/**
 * Facts that the gateway vouches for, and `args`, a digest of the arguments: whoever calls chooses
 * those, so it tells repetitions apart and limits nobody who varies them.
 */
export const counterKeyFields = [
  "tenant",
  "user",
  "agent",
  "server",
  "tool",
  "conversation",
  "args",
] as const;
export type CounterKeyField = (typeof counterKeyFields)[number];

/** `none`: a budget until somebody resets it. */
export type CounterWindow =
  | { readonly type: "fixed" | "sliding"; readonly ms: number }
  | { readonly type: "none" };

/** What one call costs. */
export type CounterCost =
  /** One, and nothing where the call was not made. */
  | { readonly type: "calls" }
  /** One, whatever is decided. */
  | { readonly type: "attempts" }
  /** Size of what was sent and of what came back; four bytes a token. */
  | { readonly type: "bytes" | "tokens"; readonly reserve: number }
  /** A number of the arguments; `fallback` where there is none. */
  | {
      readonly type: "argument";
      readonly pointer: readonly string[];
      readonly fallback: number | undefined;
    };

export interface CounterDeclaration {
  readonly name: string;
  readonly key: readonly CounterKeyField[];
  readonly window: CounterWindow;
  readonly limit: number;
  readonly cost: CounterCost;
  /** Patterns of tools that count; `undefined`: all. */
  readonly tools: readonly string[] | undefined;
  readonly actions: readonly ActionType[];
}

export type CountersReading =
  | { readonly ok: true; readonly counters: readonly CounterDeclaration[] }
  /** `path` below `metadata.counters`. */
  | { readonly ok: false; readonly path: readonly string[]; readonly message: string };

/** Amounts are kept as whole millionths; this much is exact. */
export const maxAmount = 9_000_000_000;
const maxCounters = 32;
const unitsMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const longestMs = 366 * unitsMs.d;
/** Beside `args`, since each call may make a counter of its own. */
const longestByArgumentsMs = unitsMs.h;
const duration = /^([1-9][0-9]{0,8})([smhd])$/;

const amount = z.number().check(z.minimum(0), z.maximum(maxAmount));
const span = z
  .string()
  .check(
    z.refine((text) => isSpan(text), "expected 1s to 366d: a number with s, m, h or d behind it"),
  );
const pointer = z
  .string()
  .check(z.regex(/^(?:\/(?:[^~/]|~[01])*)+$/, "expected a JSON pointer, such as /amount"));

const declaration = z.strictObject({
  key: z.array(z.enum(counterKeyFields)).check(z.minLength(1)),
  window: z.optional(
    z.union([z.strictObject({ fixed: span }), z.strictObject({ sliding: span })], {
      error: 'expected {"fixed": "1h"} or {"sliding": "60s"} of 1s to 366d',
    }),
  ),
  limit: amount,
  cost: z._default(
    z.union(
      [
        z.enum(["calls", "attempts", "bytes", "tokens"]),
        z.strictObject({ argument: pointer, default: z.optional(amount) }),
      ],
      {
        error:
          'expected "calls", "attempts", "bytes", "tokens" or {"argument": "/amount"}, perhaps with a default of at least 0',
      },
    ),
    "calls",
  ),
  reserve: z.optional(amount),
  tools: z.optional(z.array(z.string().check(z.minLength(1))).check(z.minLength(1))),
  actions: z._default(z.array(z.enum(actionTypes)).check(z.minLength(1)), ["tool_call"]),
});

const name = z
  .string()
  .check(
    z.regex(
      /^[a-z][a-z0-9_]{0,63}$/,
      "expected a name of lower-case letters, digits and _, at most 64",
    ),
  );
const counters = z
  .record(name, declaration)
  .check(
    z.refine((all) => Object.keys(all).length <= maxCounters, `expected at most ${maxCounters}`),
  );

/** Reads `metadata.counters`; none where nothing is declared. */
export function readCounters(declared: unknown): CountersReading {
  if (declared === undefined) return { ok: true, counters: [] };
  const result = counters.safeParse(declared);
  if (!result.success) {
    const [issue] = result.error.issues;
    const inner = issue?.code === "invalid_key" ? issue.issues[0]?.message : undefined;
    const message = inner ?? issue?.message ?? messageOf(result.error);
    return { ok: false, path: (issue?.path ?? []).map(String), message };
  }
  for (const [own, entry] of Object.entries(result.data)) {
    const problem = problemOf(entry);
    if (problem !== undefined) return { ok: false, path: [own, problem[0]], message: problem[1] };
  }
  const entries = Object.entries(result.data);
  return { ok: true, counters: entries.map(([own, entry]) => declarationOf(own, entry)) };
}

type Entry = z.output<typeof declaration>;

function problemOf(entry: Entry): readonly [string, string] | undefined {
  const { key, window, cost, reserve } = entry;
  if (new Set(key).size < key.length) return ["key", "expected each field once"];
  if (key.includes("args") && !isShort(windowOf(window))) {
    return ["window", 'expected one of at most 1h beside "args" in the key'];
  }
  const isSize = cost === "bytes" || cost === "tokens";
  if (reserve === undefined || isSize) return undefined;
  return ["reserve", 'expected it beside the cost "bytes" or "tokens" alone'];
}

function isShort(window: CounterWindow): boolean {
  return window.type !== "none" && window.ms <= longestByArgumentsMs;
}

function declarationOf(own: string, entry: Entry): CounterDeclaration {
  const { key, window, limit, tools, actions } = entry;
  return {
    name: own,
    key: counterKeyFields.filter((field) => key.includes(field)),
    window: windowOf(window),
    limit,
    cost: costOf(entry),
    tools,
    actions,
  };
}

function windowOf(window: Entry["window"]): CounterWindow {
  if (window === undefined) return { type: "none" };
  return "fixed" in window
    ? { type: "fixed", ms: spanMs(window.fixed) }
    : { type: "sliding", ms: spanMs(window.sliding) };
}

function costOf({ cost, reserve = 0 }: Entry): CounterCost {
  if (cost === "bytes" || cost === "tokens") return { type: cost, reserve };
  if (typeof cost === "string") return { type: cost };
  const steps = cost.argument.split("/").slice(1);
  const unescaped = steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return { type: "argument", pointer: unescaped, fallback: cost.default };
}

function isSpan(text: string): boolean {
  const ms = spanMs(text);
  return ms >= unitsMs.s && ms <= longestMs;
}

/** NaN where it has not the form. */
function spanMs(text: string): number {
  const [, count = "", unit] = duration.exec(text) ?? [];
  if (unit !== "s" && unit !== "m" && unit !== "h" && unit !== "d") return Number.NaN;
  return Number(count) * unitsMs[unit];
}
