/**
 * The conversations of all principals of one gateway. One that was not needed for long is closed;
 * what it has seen is on disk, and in the database where replicas share it.
 */
import { join } from "node:path";
import type { GatewayConfig } from "../config/config.ts";
import type { NewId } from "../contract/ambient.ts";
import type { Principal } from "../contract/principal.ts";
import { Conversation } from "../policy/input/conversation.ts";
import type { SharedSightings, SightingTable } from "../policy/input/shared-sightings.ts";

const maxOpen = 1000;

export class Conversations {
  readonly #stateDir: string;
  readonly #newId: NewId;
  readonly #sharedUrl: string | undefined;
  /** By principal, the one used longest ago first. */
  readonly #open = new Map<string, Conversation>();
  #table: Promise<SightingTable> | undefined;

  constructor(
    { state, decisions }: Pick<GatewayConfig, "state" | "decisions">,
    stateDir: string,
    newId: NewId,
  ) {
    this.#stateDir = stateDir;
    this.#newId = newId;
    const isShared = state.sharesConversations && decisions.store.kind === "postgres";
    this.#sharedUrl = isShared ? decisions.store.url : undefined;
  }

  /** A conversation belongs to (tenant, user, agent), whatever characters their ids have. */
  of({ key }: Principal): Conversation {
    const folder = join(this.#stateDir, "conversations", key);
    const known = this.#open.get(key);
    const conversation = known ?? new Conversation(folder, this.#newId, this.#sharedOf(key));
    this.#open.delete(key);
    this.#open.set(key, conversation);
    if (this.#open.size > maxOpen) this.#closeOldest();
    return conversation;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((conversation) => conversation.close()));
    const table = await this.#table?.catch(() => undefined);
    await table?.close();
  }

  #sharedOf(key: string): SharedSightings | undefined {
    const url = this.#sharedUrl;
    if (url === undefined) return undefined;
    const table = (): Promise<SightingTable> => (this.#table ??= loadTable(url));
    return {
      read: async () => await (await table()).of(key).read(),
      write: async (entry) => await (await table()).of(key).write(entry),
    };
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

/** Most gateways have no database, and every start would pay for its driver. */
async function loadTable(url: string): Promise<SightingTable> {
  const { openSightingTable } = await import("../policy/input/shared-sightings.ts");
  return openSightingTable(url);
}
