/**
 * What all connections of one server have in common: their turns, the trouble with starting the
 * server, the count of restarts and the last error. Starts share one circuit breaker and one
 * backoff; lost connections and timeouts count for their own key alone, so that no client's calls
 * can shut out another client.
 */
import type { Log } from "../../../contract/ambient.ts";
import { messageOf } from "../../../errors.ts";
import type { Backoff } from "./backoff.ts";
import { newBackoff } from "./backoff.ts";
import type { Circuit, CircuitBlock } from "./circuit.ts";
import { circuitBlock, newCircuit } from "./circuit.ts";
import type { SupervisorOptions, SupervisorState } from "./supervisor-options.ts";
import type { Turns } from "./turns.ts";
import { createTurns } from "./turns.ts";

export interface Trouble {
  readonly circuit: Circuit;
  readonly backoff: Backoff;
}

export interface Supervision {
  readonly options: SupervisorOptions;
  readonly maxWaiting: number;
  readonly turns: Turns;
  /** Requests that stay open have places of their own. */
  readonly streams: Turns;
  readonly starts: Trouble;
  /** What still closes, by sharing key; each resolves, and soon. */
  readonly closings: Map<string, Promise<void>>;
  restarts: number;
  lastError: { readonly code: string; readonly atMs: number } | undefined;
}

export const maxStreams = 1024;
const waitingPerTurn = 4;
const closePatienceMs = 10_000;

export function newTrouble({ log }: Pick<SupervisorOptions, "log">): Trouble {
  const circuit = newCircuit({
    onOpen: (windowMs) => log.warn({ windowMs }, "upstream circuit breaker opened"),
    onClose: () => log.info({}, "upstream circuit breaker closed"),
  });
  return { circuit, backoff: newBackoff() };
}

export function newSupervision(options: SupervisorOptions): Supervision {
  const maxWaiting = waitingPerTurn * options.maxConcurrent;
  return {
    options,
    maxWaiting,
    turns: createTurns({ maxRunning: options.maxConcurrent, maxWaiting }),
    streams: createTurns({ maxRunning: maxStreams, maxWaiting: 0 }),
    starts: newTrouble(options),
    closings: new Map(),
    restarts: 0,
    lastError: undefined,
  };
}

export function noteError(supervision: Supervision, code: string): void {
  supervision.lastError = { code, atMs: supervision.options.clock.nowMs() };
}

export type Block = CircuitBlock | { readonly reason: "backing_off"; readonly untilMs: number };

/** Why nothing may be tried now, of the circuit breaker or of the backoff. */
export function blockOf({ circuit, backoff }: Trouble, nowMs: number): Block | undefined {
  const block = circuitBlock(circuit, nowMs);
  if (block !== undefined || backoff.untilMs <= nowMs) return block;
  return { reason: "backing_off", untilMs: backoff.untilMs };
}

/** The state of what is not running. */
export function stateOf(block: Block | undefined): SupervisorState {
  if (block === undefined) return "idle";
  return block.reason === "backing_off" ? "backing_off" : "open_circuit";
}

/**
 * Keeps in mind what still closes of a key, for as long as there is patience with it; the next start
 * of the same key comes after it.
 */
export function awaitClosing(supervision: Supervision, key: string, closing: Promise<void>): void {
  const { closings, options } = supervision;
  const closed = withPatience(closing, options.log).then(() => {
    if (closings.get(key) === closed) closings.delete(key);
  });
  closings.set(key, closed);
}

/** Resolves when `closing` has ended in any way, and at the latest when the patience ends. */
function withPatience(closing: Promise<void>, log: Log): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      log.error({ afterMs: closePatienceMs }, "upstream connection does not close; left behind");
      resolve();
    }, closePatienceMs);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    closing.then(end, (thrown: unknown) => {
      log.warn({ reason: messageOf(thrown) }, "upstream connection did not close cleanly");
      end();
    });
  });
}
