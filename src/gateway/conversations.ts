/**
 * The conversations of all principals of one gateway. One that was not needed for long is closed;
 * what it has seen is on disk.
 */
import { join } from "node:path";
import type { NewId } from "../contract/ambient.ts";
import type { Principal } from "../contract/principal.ts";
import { Conversation } from "../policy/input/conversation.ts";

const maxOpen = 1000;

export class Conversations {
  readonly #stateDir: string;
  readonly #newId: NewId;
  /** By principal, the one used longest ago first. */
  readonly #open = new Map<string, Conversation>();

  constructor(stateDir: string, newId: NewId) {
    this.#stateDir = stateDir;
    this.#newId = newId;
  }

  /** A conversation belongs to (tenant, user, agent), whatever characters their ids have. */
  of({ key }: Principal): Conversation {
    const known = this.#open.get(key);
    const conversation =
      known ?? new Conversation(join(this.#stateDir, "conversations", key), this.#newId);
    this.#open.delete(key);
    this.#open.set(key, conversation);
    if (this.#open.size > maxOpen) this.#closeOldest();
    return conversation;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((conversation) => conversation.close()));
  }

  #closeOldest(): void {
    for (const [key, conversation] of this.#open) {
      this.#open.delete(key);
      conversation.close().catch(() => {
        // What it has seen is on disk already.
      });
      return;
    }
  }
}
