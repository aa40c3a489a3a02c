/**
 * One of a principal's conversations, as somebody says it whom the operator trusts to tell them apart:
 * a claim of a verified token, or a runtime of `trusted_runtimes`. Its id is text of others, so that
 * nothing is kept under it but its digest.
 */
import { sha256Of } from "./sha256.ts";

export interface VouchedConversation {
  readonly id: string;
  /** Digest of principal and id; safe as a name. */
  readonly key: string;
  /** What the runtime has counted by itself: it raises what the gateway counts, and lowers nothing. */
  readonly least: ConversationCounts;
}

/** How much of a conversation there was. */
export interface ConversationCounts {
  /** Requests that were decided. */
  readonly turns: number;
  readonly tokens: number;
}

/** As long as an agent's id may be. */
export const maxConversationIdLength = 256;
export const noCounts: ConversationCounts = { turns: 0, tokens: 0 };

/** True for what may name a conversation. */
export function isConversationId(value: unknown): value is string {
  if (typeof value !== "string" || value === "") return false;
  if (value.length > maxConversationIdLength || !value.isWellFormed()) return false;
  return !/\p{Cc}/u.test(value);
}

/** The conversation of this id that the principal with this key has. */
export function vouchedConversation(
  principalKey: string,
  id: string,
  least: ConversationCounts = noCounts,
): VouchedConversation {
  const key = sha256Of(JSON.stringify([principalKey, id])).slice("sha256:".length, 39);
  return { id, key, least };
}
