/**
 * Finds out which era a server speaks and shakes hands in it. What is remembered of the server comes
 * first; where it turns out to be wrong, the other era is tried on the same connection.
 *
 * A server on stdio gets the modern question on its own process, not on a disposable sibling: most
 * servers answer it with an error and go on, and a sibling would double whatever starting the
 * server does. One that dies of the question, or stays silent to it and to `initialize` after it,
 * is started again and asked nothing but `initialize`; the verdict is remembered, so that this
 * happens once. Silence alone proves nothing: a server that is slow to start is silent too.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../../contract/json.ts";
import type { Era } from "../wire/method-table.ts";
import type { Connection } from "./connection.ts";
import type { Discovery } from "./discover.ts";
import { discover } from "./discover.ts";
import type { FailedReply } from "./failed.ts";
import { describeReply } from "./failed.ts";
import { initialize } from "./initialize.ts";
import type { UpstreamGreeting } from "./upstream-connection.ts";

export interface GreetOptions {
  readonly protocol: "auto" | "legacy" | "modern";
  /** The era that this server spoke before. */
  readonly known: Era | undefined;
  /** Declared to a legacy server. */
  readonly capabilities: JsonObject;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** After this much silence `initialize` is sent too; `undefined` where silence is a failure. */
  readonly silenceMs: number | undefined;
  readonly learned: (era: Era) => void;
}

export type Greeted =
  | {
      readonly kind: "greeted";
      readonly greeting: UpstreamGreeting;
      /** What the server speaks best, which is worth remembering. */
      readonly verdict: Era;
    }
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly isUnauthorized: boolean;
      /** The modern question may have done this: start anew and ask in legacy only. */
      readonly mayBeProbe: boolean;
    };

/** How long a server that was silent may leave `initialize` unanswered. */
const patienceMs = 3000;

/** Never throws; the connection speaks what was agreed. */
export async function greet(connection: Connection, options: GreetOptions): Promise<Greeted> {
  const { protocol, known } = options;
  const greeted =
    protocol === "legacy" || (protocol === "auto" && known === "legacy")
      ? await greetLegacy(connection, options)
      : await greetModern(connection, options);
  if (greeted.kind === "greeted") {
    const { era, protocolVersion } = greeted.greeting;
    connection.speak({ era, protocolVersion });
    if (protocol === "auto") options.learned(greeted.verdict);
  }
  return greeted;
}

async function greetLegacy(connection: Connection, options: GreetOptions): Promise<Greeted> {
  const answer = await initialize(connection, options.capabilities, options);
  if (answer.kind === "greeted") return { ...answer, verdict: "legacy" };
  if (answer.kind === "unanswered") return unanswered(answer.reply);
  if (answer.kind === "unusable" || options.protocol === "legacy") return failed(answer.reason);
  const discovery = await discover(connection, options);
  return discovery.kind === "greeted" ? { ...discovery, verdict: "modern" } : failed(answer.reason);
}

async function greetModern(connection: Connection, options: GreetOptions): Promise<Greeted> {
  const asking = discover(connection, options);
  const { protocol, silenceMs } = options;
  const mayFallBack = protocol === "auto";
  if (!mayFallBack || silenceMs === undefined) return fallBack(connection, options, await asking);
  const stopWaiting = new AbortController();
  const silence = delay(silenceMs, undefined, { signal: stopWaiting.signal }).catch(
    () => undefined,
  );
  const first = await Promise.race([asking, silence]);
  stopWaiting.abort();
  return first === undefined
    ? await greetSilent(connection, options, asking)
    : await fallBack(connection, options, first);
}

async function fallBack(
  connection: Connection,
  options: GreetOptions,
  discovery: Discovery,
): Promise<Greeted> {
  switch (discovery.kind) {
    case "greeted":
      return { ...discovery, verdict: "modern" };
    case "unusable":
      return failed(discovery.reason);
    case "unanswered":
      return unanswered(discovery.reply, true);
    case "legacy": {
      if (options.protocol === "modern") return failed(discovery.reason);
      const answer = await initialize(connection, options.capabilities, options);
      if (answer.kind === "greeted") return { ...answer, verdict: "legacy" };
      return answer.kind === "unanswered"
        ? unanswered(answer.reply, true)
        : failed(answer.reason, true);
    }
  }
}

/** Slow, or silent for good: whichever it answers now says what it speaks. */
async function greetSilent(
  connection: Connection,
  options: GreetOptions,
  asking: Promise<Discovery>,
): Promise<Greeted> {
  const timeoutMs = Math.min(patienceMs, options.timeoutMs);
  const answer = await initialize(connection, options.capabilities, { ...options, timeoutMs });
  switch (answer.kind) {
    case "greeted": {
      // It answers in order: by now a slow server has answered the first question too.
      const late = await Promise.race([asking, Promise.resolve(undefined)]);
      return { ...answer, verdict: late?.kind === "greeted" ? "modern" : "legacy" };
    }
    case "unusable":
      return failed(answer.reason);
    case "unanswered":
      return unanswered(answer.reply, true);
    case "refused": {
      const late = await asking;
      return late.kind === "greeted" ? { ...late, verdict: "modern" } : failed(answer.reason, true);
    }
  }
}

function unanswered(reply: FailedReply, mayBeProbe = false): Greeted {
  const isUnauthorized = reply.code === "upstream_unauthorized";
  return { kind: "failed", reason: describeReply(reply), isUnauthorized, mayBeProbe };
}

function failed(reason: string, mayBeProbe = false): Greeted {
  return { kind: "failed", reason, isUnauthorized: false, mayBeProbe };
}
