/**
 * Which conversation a counter means that is kept by `conversation`. The store of counters says it,
 * because a fact of one process could be shed by a restart or doubled by a second replica. It is
 * asked when a call is counted by it, at most once a minute for a principal.
 */
import type { Clock } from "../../contract/ambient.ts";
import type { Principal } from "../../contract/principal.ts";
import type { UsageStore } from "../../policy/usage/usage-store.ts";

/** Shorter than a silence by so much that what is remembered is still under way. */
const rememberedMs = 60_000;
/** Half an hour of silence ends one, however late the last call was written down. */
const silenceMs = 30 * 60_000 + rememberedMs;
const maxRemembered = 10_000;

interface Remembered {
  readonly conversation: string;
  readonly joinedMs: number;
}

export class CountedConversations {
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** By principal, the one that was asked for longest ago first. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** The one that is under way, else `own` from now on; rejects where nobody knows. */
  async current(
    store: UsageStore,
    { key, conversation: vouched }: Pick<Principal, "key" | "conversation">,
    own: string,
  ): Promise<string> {
    // Everybody knows that one by its name.
    if (vouched !== undefined) return vouched.key;
    const joinedMs = this.#clock.monotonicMs();
    const known = this.#remembered.get(key);
    if (known !== undefined && joinedMs - known.joinedMs < rememberedMs) return known.conversation;
    const conversation = await store.join({ key, conversation: own, silenceMs });
    this.#remembered.delete(key);
    this.#remembered.set(key, { conversation, joinedMs });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > maxRemembered && oldest) this.#remembered.delete(oldest);
    return conversation;
  }
}
