/**
 * What counters ask of a store, and the nouns of both. A store knows keys, amounts and times, and
 * nothing of policies. It promises that charges of one request are taken together or not at all,
 * whoever else reserves at the same moment, and that its own clock decides about windows. Amounts are
 * whole millionths, so that sums are exact.
 */
import { GatewayError } from "../../errors.ts";

export type UsageErrorCode =
  /** The store of counters is away, or its files cannot be used. */
  | "usage_store_unavailable"
  /** No counter of that name and key was used yet. */
  | "budget_unknown";

/** Thrown by stores and by the commands of budgets; never holds a URL. */
export class UsageError extends GatewayError<UsageErrorCode> {}

/** How a counter divides time. Amounts are kept by slot; a slot counts for `lifeMs` from its start. */
export interface Slots {
  /** 0: one slot for ever. */
  readonly slotMs: number;
  readonly lifeMs: number;
  /** Where slots are counted from, since the epoch. */
  readonly originMs: number;
  /** Without use for so long it is forgotten; 0: never. */
  readonly keepMs: number;
}

/** What one request takes from one counter. */
export interface Charge {
  readonly key: string;
  readonly amount: number;
  readonly limit: number;
  readonly slots: Slots;
  /** Taken whatever becomes of the others, and over the limit too. */
  readonly isAttempt: boolean;
}

/** One counter as it was before the charge. */
export interface CounterReading {
  readonly used: number;
  /** The declared limit and what was granted. */
  readonly limit: number;
  /** Slot of the charge. */
  readonly startMs: number;
  /** When something of it is free again; `undefined` where only a reset helps. */
  readonly resetsAtMs: number | undefined;
}

export interface Reservation {
  readonly isAdmitted: boolean;
  /** One per charge, in their order. */
  readonly readings: readonly CounterReading[];
}

/** Adds to what a slot holds, or gives back; what is gone meanwhile stays gone. */
export interface Correction {
  readonly key: string;
  readonly startMs: number;
  readonly delta: number;
}

/** A counter for people. */
export interface CounterState {
  readonly key: string;
  readonly used: number;
  /** As it was declared when it was last used. */
  readonly limit: number;
  readonly granted: number;
  readonly resetsAtMs: number | undefined;
}

export interface Grant {
  readonly key: string;
  readonly amount: number;
  /** From now; `undefined`: until it is reset. */
  readonly forMs: number | undefined;
}

/** Asks for the conversation of a principal. */
export interface Joining {
  /** Of the principal. */
  readonly key: string;
  /** Of the conversation that begins where none is under way. */
  readonly conversation: string;
  /** A conversation is over when nobody has joined it for so long. */
  readonly silenceMs: number;
}

export interface UsageStore {
  /** All charges or none, but attempts always. Rejects where nobody knows. */
  readonly reserve: (charges: readonly Charge[]) => Promise<Reservation>;
  readonly correct: (corrections: readonly Correction[]) => Promise<void>;
  /** The conversation that is under way: the same for all who ask, whoever was first. */
  readonly join: (joining: Joining) => Promise<string>;
  /** Every counter whose key begins with `prefix` and that still means something, by key. */
  readonly list: (prefix: string) => Promise<readonly CounterState[]>;
  /** Raises a limit; false where there is no such counter. */
  readonly grant: (grant: Grant) => Promise<boolean>;
  /** Nothing is used and nothing granted any more; false where there is no such counter. */
  readonly reset: (key: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
}

const scale = 1_000_000;

/** In millionths; a part of a millionth counts whole. */
export function toMillionths(amount: number): number {
  const exact = amount * scale;
  const nearest = Math.round(exact);
  return Math.abs(exact - nearest) < 1e-3 ? nearest : Math.ceil(exact);
}

/** The amount as it was declared or sent. */
export function fromMillionths(amount: number): number {
  return amount / scale;
}
