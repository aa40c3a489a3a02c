/**
 * The connection of one sharing key over all its lives: started when it is needed, lost, started
 * anew, stopped when nobody needs it, ended with its session. Whether a request may go out, and
 * when, is left to `attend-request.ts`.
 */
import type { JsonObject } from "../../../contract/json.ts";
import type { FailedReply } from "../failed.ts";
import type { UpstreamConnection } from "../upstream-connection.ts";
import { backOff, resetBackoff } from "./backoff.ts";
import type { Attempt } from "./circuit.ts";
import {
  beginAttempt,
  circuitBlock,
  countBreak,
  endAttempt,
  isCircuitAtRest,
  isNewBreak,
} from "./circuit.ts";
import type { ConnectionEar } from "./connection-ear.ts";
import { createConnectionEar } from "./connection-ear.ts";
import type { Holders } from "./holders.ts";
import { createHolders } from "./holders.ts";
import type { LiveConnection } from "./live-connection.ts";
import { createLiveConnection } from "./live-connection.ts";
import type { NotStarted, Start, StartOutcome } from "./start-connection.ts";
import { startConnection } from "./start-connection.ts";
import type { Block, Supervision, Trouble } from "./supervision.ts";
import { awaitClosing, blockOf, newTrouble, noteError, stateOf } from "./supervision.ts";
import type { SupervisorState } from "./supervisor-options.ts";
import type { WaitingRoom } from "./waiting-room.ts";
import { createWaitingRoom } from "./waiting-room.ts";

/** One that is lost sooner after its start is not started anew at once. */
const quickLossMs = 10_000;

/** The lives of one connection; `end` is the last of them. */
export class ConnectionLife {
  readonly key: string;
  readonly #supervision: Supervision;
  readonly holders: Holders;
  /** Requests of this key that wait for anything. */
  readonly room: WaitingRoom = createWaitingRoom();
  /** Lost connections and timeouts; failed starts count for the whole server. */
  readonly trouble: Trouble;
  #live: LiveConnection | undefined;
  #start: Start | undefined;
  /** Of the connection that starts or is open. */
  #ear: ConnectionEar | undefined;
  #ended: FailedReply | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #uses = 0;
  #unusedSinceMs = 0;
  /** The next start is a restart. */
  #hasFailed = false;

  constructor(key: string, supervision: Supervision) {
    this.key = key;
    this.#supervision = supervision;
    this.trouble = newTrouble(supervision.options);
    this.holders = createHolders(supervision.options.log, () => this.#rest());
  }

  get live(): LiveConnection | undefined {
    return this.#live;
  }

  /** What requests are answered once the key has ended. */
  get ended(): FailedReply | undefined {
    return this.#ended;
  }

  /** Why nothing may be tried now. */
  block(): Block | undefined {
    const nowMs = this.#nowMs();
    if (this.#live !== undefined || this.#start !== undefined) {
      return circuitBlock(this.trouble.circuit, nowMs);
    }
    const { starts } = this.#supervision;
    return latest([blockOf(this.trouble, nowMs), blockOf(starts, nowMs)]);
  }

  /** The start that runs, or a new one; nothing may block it. */
  start(capabilities: JsonObject): Promise<StartOutcome> {
    this.#start ??= this.#begin(capabilities);
    return this.#start.outcome;
  }

  /** Somebody uses the connection, or waits to; returns how to stop. */
  use(): () => void {
    this.#uses += 1;
    clearTimeout(this.#idleTimer);
    return () => {
      this.#uses -= 1;
      this.#rest();
    };
  }

  /** Closes what hangs or was lost; the next request starts it anew. */
  lose(live: LiveConnection, reason: string): void {
    if (this.#live !== live) return;
    const { options } = this.#supervision;
    const nowMs = this.#nowMs();
    if (nowMs - live.startedMs < quickLossMs) {
      backOff(this.trouble.backoff, nowMs, options.random());
    } else resetBackoff(this.trouble.backoff);
    if (!live.isBroken()) countBreak(this.trouble.circuit, nowMs);
    this.#hasFailed = true;
    noteError(this.#supervision, "upstream_lost");
    options.log.warn({ reason }, "upstream connection lost");
    this.#retire(live);
    options.onLost(this.key, reason);
  }

  /** Closes a connection that nobody needs; the next request starts it anew. */
  stop(): void {
    if (this.#live === undefined) return;
    const { log, onStopped } = this.#supervision.options;
    log.info({}, "idle upstream connection closed");
    this.#retire(this.#live);
    onStopped?.(this.key);
  }

  /** Ends the key: waiting requests are answered `reply`, open ones end with `upstream_lost`. */
  end(reply: FailedReply): void {
    this.#ended ??= reply;
    this.room.close();
    if (this.#start !== undefined) {
      this.#start.abort();
      awaitClosing(this.#supervision, this.key, this.#start.cleared);
    }
    if (this.#live !== undefined) this.#retire(this.#live);
  }

  get isConnected(): boolean {
    return this.#live !== undefined || this.#start !== undefined;
  }

  /** True where nobody uses or awaits it. */
  get isUnused(): boolean {
    return this.#uses === 0 && this.#start === undefined;
  }

  /** True where nobody holds it either. */
  get isIdle(): boolean {
    return this.isUnused && this.holders.size() === 0;
  }

  get unusedSinceMs(): number {
    return this.#unusedSinceMs;
  }

  /** True where there is nothing to keep in mind of this key. */
  get isForgettable(): boolean {
    const isAtRest = isCircuitAtRest(this.trouble.circuit, this.#nowMs());
    return this.isIdle && !this.isConnected && isAtRest;
  }

  get state(): SupervisorState {
    if (this.#start !== undefined) return "starting";
    const block = this.block();
    return block === undefined && this.#live !== undefined ? "up" : stateOf(block);
  }

  #nowMs(): number {
    return this.#supervision.options.clock.monotonicMs();
  }

  #begin(capabilities: JsonObject): Start {
    const supervision = this.#supervision;
    const { options, starts } = supervision;
    if (this.#hasFailed) supervision.restarts += 1;
    const ear = this.#listen();
    this.#ear = ear;
    const attempt = beginAttempt(starts.circuit, this.#nowMs());
    const start = startConnection({
      after: supervision.closings.get(this.key),
      timeoutMs: options.startTimeoutMs,
      connect: (signal) => options.connect(this.key, capabilities, ear.events, signal),
    });
    void start.outcome.then((outcome) => {
      this.#start = undefined;
      if (outcome.kind === "started") this.#keep(outcome.connection, attempt, ear);
      else this.#miss(outcome, attempt, start);
      this.#rest();
    });
    return start;
  }

  #listen(): ConnectionEar {
    const { options } = this.#supervision;
    return createConnectionEar({
      onNotification: (notification) => {
        this.#live?.hear();
        options.onNotification?.(this.key, notification);
        this.holders.notify(notification);
      },
      onRequest: async (request) => {
        this.#live?.hear();
        return await this.holders.ask(request);
      },
    });
  }

  #keep(connection: UpstreamConnection, attempt: Attempt, ear: ConnectionEar): void {
    const { options, starts } = this.#supervision;
    const live = createLiveConnection({
      connection,
      startedMs: this.#nowMs(),
      onHung: (reason) => this.lose(live, reason),
    });
    endAttempt(starts.circuit, attempt, "answered", this.#nowMs());
    resetBackoff(starts.backoff);
    this.#hasFailed = false;
    if (this.#ended !== undefined) {
      this.#retire(live);
      return;
    }
    this.#live = live;
    options.onConnected(this.key, connection);
    ear.onLost((reason) => this.lose(live, reason));
  }

  #miss(outcome: NotStarted, attempt: Attempt, start: Start): void {
    const { options, starts } = this.#supervision;
    this.#ear?.close();
    if (this.#ended === undefined) {
      awaitClosing(this.#supervision, this.key, start.cleared);
    }
    const nowMs = this.#nowMs();
    const isNew = outcome.isServerFault && isNewBreak(starts.circuit, attempt);
    endAttempt(starts.circuit, attempt, outcome.isServerFault ? "broken" : "unknown", nowMs);
    if (outcome.code === "cancelled") return;
    noteError(this.#supervision, outcome.cause);
    const { cause, message } = outcome;
    options.log.warn({ code: cause, reason: message }, "upstream server not started");
    this.#hasFailed ||= outcome.isServerFault;
    if (isNew) backOff(starts.backoff, nowMs, options.random());
  }

  #retire(live: LiveConnection): void {
    this.#live = undefined;
    clearTimeout(this.#idleTimer);
    this.#ear?.close();
    awaitClosing(this.#supervision, this.key, live.connection.close());
  }

  /** Starts the idle time where nobody needs the connection any more. */
  #rest(): void {
    clearTimeout(this.#idleTimer);
    if (this.isUnused) this.#unusedSinceMs = this.#nowMs();
    if (!this.isIdle) return;
    const { idleTimeoutMs } = this.#supervision.options;
    if (this.#live === undefined || idleTimeoutMs === 0) return;
    this.#idleTimer = setTimeout(() => this.stop(), idleTimeoutMs);
  }
}

/** The block that ends last. */
function latest(blocks: readonly (Block | undefined)[]): Block | undefined {
  return blocks.reduce((a, b) => (endMsOf(b) > endMsOf(a) ? b : a), undefined);
}

function endMsOf(block: Block | undefined): number {
  if (block === undefined) return 0;
  return block.reason === "on_trial" ? Infinity : block.untilMs;
}
