/**
 * The circuit breaker of one server or of one of its connections, as plain state and the time that
 * is handed in. Closed, it lets everything pass; after five failures in a row within a minute it
 * opens and nothing passes; after its window one attempt is on trial, and decides whether it closes
 * again or opens for twice as long. What an attempt from before the last opening comes to has no say.
 */

/** What an attempt came to, as far as the health of the server goes. */
export type AttemptEnd =
  /** It spoke, whatever it said: an error is an answer too. */
  | "answered"
  | "timed_out"
  /** It could not be reached, or broke off. */
  | "broken"
  /** Nothing is known: cancelled, or never sent. */
  | "unknown";

export interface Attempt {
  /** Place in the order of attempts. */
  readonly number: number;
  /** How often the circuit had opened when the attempt began. */
  readonly opening: number;
}

/** Hears of the changes that an operator wants to know. */
export interface CircuitWatch {
  readonly onOpen: (windowMs: number) => void;
  readonly onClose: () => void;
}

export interface Circuit {
  readonly watch: CircuitWatch;
  /** Times of failures since the last answer, monotonic. */
  failedAtMs: number[];
  /** `undefined`: closed. Once the time has come it is half-open. */
  openUntilMs: number | undefined;
  nextWindowMs: number;
  trial: Attempt | undefined;
  trialUntilMs: number;
  openings: number;
  attempts: number;
  /** Attempts up to this one belong to a break that was counted. */
  brokenUpTo: number;
}

export type CircuitBlock =
  | { readonly reason: "open_circuit"; readonly untilMs: number }
  | { readonly reason: "on_trial" };

const failuresToOpen = 5;
const failureSpanMs = 60_000;
const firstWindowMs = 30_000;
const longestWindowMs = 300_000;
/** A trial that runs longer holds the next one back no more. */
const trialMs = 30_000;

export function newCircuit(watch: CircuitWatch): Circuit {
  return {
    watch,
    failedAtMs: [],
    openUntilMs: undefined,
    nextWindowMs: firstWindowMs,
    trial: undefined,
    trialUntilMs: 0,
    openings: 0,
    attempts: 0,
    brokenUpTo: 0,
  };
}

/** Why nothing may be attempted now; `undefined` where something may. */
export function circuitBlock(circuit: Circuit, nowMs: number): CircuitBlock | undefined {
  const { openUntilMs, trial, trialUntilMs } = circuit;
  if (openUntilMs === undefined) return undefined;
  if (nowMs < openUntilMs) return { reason: "open_circuit", untilMs: openUntilMs };
  return trial !== undefined && nowMs < trialUntilMs ? { reason: "on_trial" } : undefined;
}

/**
 * Begins an attempt that `circuitBlock` lets pass; in a half-open circuit it is the trial. What
 * stays open without an answer (`isTrial: false`) is no trial, but its failure counts.
 */
export function beginAttempt(circuit: Circuit, nowMs: number, isTrial = true): Attempt {
  circuit.attempts += 1;
  const attempt = { number: circuit.attempts, opening: circuit.openings };
  if (circuit.openUntilMs !== undefined && isTrial) {
    circuit.trial = attempt;
    circuit.trialUntilMs = nowMs + trialMs;
  }
  return attempt;
}

/** Takes in what an attempt came to, or that it shows signs of life; may be called repeatedly. */
export function endAttempt(
  circuit: Circuit,
  attempt: Attempt,
  how: AttemptEnd,
  nowMs: number,
): void {
  if (isFromBefore(circuit, attempt)) return;
  if (circuit.trial === attempt) circuit.trial = undefined;
  switch (how) {
    case "answered":
      close(circuit);
      return;
    case "timed_out":
      countFailure(circuit, nowMs);
      return;
    case "broken":
      if (isNewBreak(circuit, attempt)) countBreak(circuit, nowMs);
      return;
    case "unknown":
      return;
  }
}

/** False where the break that ended the attempt was counted already. */
export function isNewBreak(circuit: Circuit, attempt: Attempt): boolean {
  return !isFromBefore(circuit, attempt) && attempt.number > circuit.brokenUpTo;
}

/** One break, with all attempts that were under way: they failed together, so they count as one. */
export function countBreak(circuit: Circuit, nowMs: number): void {
  circuit.brokenUpTo = circuit.attempts;
  countFailure(circuit, nowMs);
}

/** True where forgetting the circuit, and a backoff, which is shorter, changes nothing. */
export function isCircuitAtRest({ failedAtMs, openUntilMs }: Circuit, nowMs: number): boolean {
  if (openUntilMs !== undefined) return nowMs > openUntilMs + longestWindowMs;
  return failedAtMs.every((atMs) => nowMs - atMs > failureSpanMs);
}

function isFromBefore(circuit: Circuit, attempt: Attempt): boolean {
  return attempt.opening !== circuit.openings;
}

function countFailure(circuit: Circuit, nowMs: number): void {
  const { openUntilMs, failedAtMs } = circuit;
  if (openUntilMs !== undefined) {
    if (nowMs >= openUntilMs) open(circuit, nowMs);
    return;
  }
  circuit.failedAtMs = [...failedAtMs.filter((atMs) => nowMs - atMs < failureSpanMs), nowMs];
  if (circuit.failedAtMs.length >= failuresToOpen) open(circuit, nowMs);
}

function open(circuit: Circuit, nowMs: number): void {
  const windowMs = circuit.nextWindowMs;
  circuit.openUntilMs = nowMs + windowMs;
  circuit.nextWindowMs = Math.min(2 * windowMs, longestWindowMs);
  circuit.failedAtMs = [];
  circuit.trial = undefined;
  circuit.openings += 1;
  circuit.watch.onOpen(windowMs);
}

function close(circuit: Circuit): void {
  if (circuit.openUntilMs !== undefined) circuit.watch.onClose();
  circuit.openUntilMs = undefined;
  circuit.nextWindowMs = firstWindowMs;
  circuit.failedAtMs = [];
  circuit.trial = undefined;
}
