/**
 * The way of one request to its connection: past the circuit breaker, through a start where there
 * is no connection, through the queue, and out, once. Whatever changed while it waited is looked at
 * again before anything is sent; what was sent is never sent again.
 */
import type { JsonObject } from "../../../contract/json.ts";
import { failed } from "../failed.ts";
import type { UpstreamReply, UpstreamRequest } from "../upstream-connection.ts";
import type { AttemptEnd } from "./circuit.ts";
import { beginAttempt, endAttempt } from "./circuit.ts";
import type { ConnectionLife } from "./connection-life.ts";
import type { LiveConnection } from "./live-connection.ts";
import { isAnswer, isBreak, isStream, isTimeout } from "./live-connection.ts";
import {
  anotherProgram,
  blocked,
  queueFull,
  startMissed,
  tooManyStreams,
  turnMissed,
} from "./refusals.ts";
import type { Block, Supervision } from "./supervision.ts";
import { noteError } from "./supervision.ts";

/** One request, and what it needs to be attended to. */
export interface Ask {
  readonly supervision: Supervision;
  readonly life: ConnectionLife;
  /** Declared where a connection has to be started. */
  readonly capabilities: JsonObject;
  readonly wanted: UpstreamRequest;
  /** Monotonic. */
  readonly deadlineMs: number;
  /** Where a start would be one too many; `undefined` where it may be. */
  readonly refuseStart: () => UpstreamReply | undefined;
  /** True where no other key of this server is about. */
  readonly isAlone: () => boolean;
  /** Nothing is to be sent: the connection alone is wanted. */
  readonly isOnlyStart?: boolean;
}

/** Of who wanted the connection alone. */
const isOpen: UpstreamReply = {
  kind: "result",
  result: { bytes: Buffer.from("{}"), value: {}, members: new Map() },
};

/** A request sits out a window that ends within this time, rather than being refused. */
const sitOutMs = 2000;

/** Resolves exactly once and never rejects. */
export async function attendRequest(ask: Ask): Promise<UpstreamReply> {
  const { life } = ask;
  const stopUsing = life.use();
  try {
    for (;;) {
      const reply = await takeStep(ask);
      if (reply !== undefined) return reply;
    }
  } finally {
    stopUsing();
  }
}

/** One step on the way; `undefined`: look again. */
function takeStep(ask: Ask): UpstreamReply | undefined | Promise<UpstreamReply | undefined> {
  const { life, wanted } = ask;
  if (life.ended !== undefined) return life.ended;
  if (wanted.signal?.aborted === true) return failed("cancelled", "cancelled by the client");
  const block = life.block();
  if (block !== undefined) return sitOut(ask, block);
  if (life.live === undefined) return awaitStart(ask);
  return ask.isOnlyStart === true ? isOpen : takeTurn(ask, life.live);
}

async function sitOut(ask: Ask, block: Block): Promise<UpstreamReply | undefined> {
  const { supervision, life, deadlineMs, wanted } = ask;
  const nowMs = supervision.options.clock.monotonicMs();
  const untilMs = block.reason === "on_trial" ? Infinity : block.untilMs;
  if (untilMs - nowMs > sitOutMs || untilMs > deadlineMs) {
    return blocked(supervision, block, nowMs);
  }
  if (life.room.size() >= supervision.maxWaiting) return queueFull(supervision);
  const never = new Promise<never>(() => {});
  const limits = { forMs: untilMs - nowMs, signal: wanted.signal };
  const waited = await life.room.waitFor(never, limits);
  if (waited.kind === "ready" || waited.kind === "expired") return undefined;
  return startMissed(waited, life.ended);
}

async function awaitStart(ask: Ask): Promise<UpstreamReply | undefined> {
  const { supervision, life, capabilities } = ask;
  if (life.room.size() >= supervision.maxWaiting) return queueFull(supervision);
  const refusal = life.isConnected ? undefined : ask.refuseStart();
  if (refusal !== undefined) return refusal;
  const waited = await life.room.waitFor(life.start(capabilities), limitsOf(ask));
  if (waited.kind !== "ready") return startMissed(waited, life.ended);
  if (waited.value.kind === "started") return undefined;
  return life.ended ?? failed(waited.value.code, waited.value.message);
}

async function takeTurn(ask: Ask, live: LiveConnection): Promise<UpstreamReply | undefined> {
  const { supervision, life, wanted } = ask;
  const turns = isStream(wanted) ? supervision.streams : supervision.turns;
  const turn = turns.enter(life.key, ask.isAlone());
  if (turn === undefined) return isStream(wanted) ? tooManyStreams() : queueFull(supervision);
  try {
    const missed = turn.ready && (await awaitTurn(ask, turn.ready));
    if (missed !== undefined) return missed;
    const pulse = live.checkPulse();
    if (pulse !== undefined) await life.room.waitFor(pulse, limitsOf(ask));
    const known = ask.wanted.known?.(live.connection);
    if (known !== undefined) await life.room.waitFor(known, limitsOf(ask));
    return await send(ask, live);
  } finally {
    turn.leave();
  }
}

async function awaitTurn(ask: Ask, ready: Promise<void>): Promise<UpstreamReply | undefined> {
  const waited = await ask.life.room.waitFor(ready, limitsOf(ask));
  return waited.kind === "ready" ? undefined : turnMissed(ask.supervision, waited, ask.life.ended);
}

/** From here on the request may have left. */
async function send(ask: Ask, live: LiveConnection): Promise<UpstreamReply | undefined> {
  const { supervision, life, wanted, deadlineMs } = ask;
  const { clock } = supervision.options;
  const nowMs = clock.monotonicMs();
  if (life.live !== live || life.block() !== undefined || wanted.signal?.aborted === true) {
    return undefined;
  }
  if (nowMs >= deadlineMs) return turnMissed(supervision, { kind: "expired" }, life.ended);
  if (wanted.mayGoTo?.(live.connection) === false) return anotherProgram;
  const { circuit } = life.trouble;
  const attempt = beginAttempt(circuit, nowMs, !isStream(wanted));
  const judge = (how: AttemptEnd): void => endAttempt(circuit, attempt, how, clock.monotonicMs());
  const timeoutMs = Math.min(wanted.timeoutMs, Math.ceil(deadlineMs - nowMs));
  const reply = await live.send(wanted, timeoutMs, () => judge("answered"));
  const isGivenUp = life.live !== live;
  const how = isGivenUp && !isAnswer(reply) ? "unknown" : endOf(wanted, reply);
  judge(how);
  if (reply.kind === "failed" && (how === "timed_out" || how === "broken")) {
    noteError(supervision, reply.code);
  }
  return reply;
}

function endOf(wanted: UpstreamRequest, reply: UpstreamReply): AttemptEnd {
  if (isAnswer(reply)) return "answered";
  if (isTimeout(reply)) return "timed_out";
  return isBreak(wanted, reply) ? "broken" : "unknown";
}

function limitsOf({ supervision, wanted, deadlineMs }: Ask): {
  readonly forMs: number;
  readonly signal: AbortSignal | undefined;
} {
  return { forMs: deadlineMs - supervision.options.clock.monotonicMs(), signal: wanted.signal };
}
