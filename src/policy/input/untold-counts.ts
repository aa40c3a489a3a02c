/**
 * Whose counts are told to others, and when: soon while a conversation is young, seldom later, and of
 * all named conversations of a principal one a second, the longest due first. So what is written of
 * counts has a bound, however many conversations go on. It counts ticks and leaves the clock to others.
 */
import type { ConversationThread } from "./conversation-thread.ts";

/** `next` is to be asked so often while there is anything to tell. */
export const tickMs = 1000;
const youngTicks = 2;
const laterTicks = 30;

/** What one gateway has counted of one principal's conversations and told nobody. */
export class UntoldCounts {
  /** Everything of the principal, which waits for no named one. */
  readonly #first: ConversationThread;
  readonly #dueTick = new Map<ConversationThread, number>();
  #tick = 0;

  constructor(first: ConversationThread) {
    this.#first = first;
  }

  get isEmpty(): boolean {
    return this.#dueTick.size === 0;
  }

  /** Something was counted; what waits already keeps its place. */
  add(thread: ConversationThread): void {
    if (this.#dueTick.has(thread)) return;
    this.#dueTick.set(thread, this.#tick + (thread.isYoung ? youngTicks : laterTicks));
  }

  /** It has been told. */
  delete(thread: ConversationThread): void {
    this.#dueTick.delete(thread);
  }

  /** Those to be told a tick later: everything of the principal where it is due, and one named. */
  next(): readonly ConversationThread[] {
    this.#tick += 1;
    const due = [...this.#dueTick].filter(([, tick]) => tick <= this.#tick);
    const first = due.filter(([thread]) => thread === this.#first);
    const named = due.filter(([thread]) => thread !== this.#first);
    const [longest] = named.toSorted(([, one], [, other]) => one - other);
    return [...first, ...(longest === undefined ? [] : [longest])].map(([thread]) => thread);
  }

  /** All there is, for the end. */
  all(): readonly ConversationThread[] {
    return [...this.#dueTick.keys()];
  }
}
