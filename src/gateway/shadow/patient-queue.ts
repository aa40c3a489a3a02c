/**
 * Work that nobody waits for: one piece after the other, with an end to how much may wait. What does
 * not fit is not taken, so that a slow worker costs neither time nor memory.
 */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../errors.ts";

export interface PatientQueueOptions<Item> {
  readonly maxItems: number;
  /** Of all that waits together. */
  readonly maxCharacters: number;
  /** Deals with one; resolves with how long nothing is done afterwards, in milliseconds. */
  readonly work: (item: Item) => Promise<number>;
  /** Told where `work` rejected. */
  readonly onFailure: (reason: string) => void;
}

interface Waiting<Item> {
  readonly item: Item;
  readonly characters: number;
}

/** Opened by its first item; `close` ends it. */
export class PatientQueue<Item> {
  readonly #options: PatientQueueOptions<Item>;
  readonly #closing = new AbortController();
  #waiting: Waiting<Item>[] = [];
  #characters = 0;
  #running: Promise<void> | undefined;

  constructor(options: PatientQueueOptions<Item>) {
    this.#options = options;
  }

  /** False where it does not fit, or the queue is closed. */
  add(item: Item, characters: number): boolean {
    const { maxItems, maxCharacters } = this.#options;
    if (this.#closing.signal.aborted) return false;
    if (this.#waiting.length >= maxItems) return false;
    if (this.#characters + characters > maxCharacters) return false;
    this.#waiting.push({ item, characters });
    this.#characters += characters;
    this.#running ??= this.#run();
    return true;
  }

  /** Forgets what waits, and resolves when the work under way has ended. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#waiting = [];
    await this.#running;
  }

  async #run(): Promise<void> {
    // Whoever added it goes on first.
    await this.#rest(0);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#characters -= next.characters;
      await this.#rest(await this.#work(next.item));
    }
    this.#running = undefined;
  }

  async #work(item: Item): Promise<number> {
    try {
      return await this.#options.work(item);
    } catch (thrown) {
      this.#options.onFailure(messageOf(thrown));
      return 0;
    }
  }

  async #rest(restMs: number): Promise<void> {
    const { signal } = this.#closing;
    await delay(restMs, undefined, { ref: false, signal }).catch(() => undefined);
  }
}
