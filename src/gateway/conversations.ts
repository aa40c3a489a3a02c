/**
 * The conversations of all principals of one gateway. Those of a principal who was not heard of for
 * long are closed; what they have seen is on disk, and where replicas share it.
 */
import { join } from "node:path";
import type { GatewayConfig } from "../config/config.ts";
import type { NewId } from "../contract/ambient.ts";
import type { Principal } from "../contract/principal.ts";
import type { ConversationView } from "../policy/input/conversation.ts";
import { Conversation } from "../policy/input/conversation.ts";
import type {
  SharedSightings,
  SightingPlace,
  SightingStore,
} from "../policy/input/shared-sightings.ts";

const maxOpen = 1000;

export class Conversations {
  readonly #stateDir: string;
  readonly #newId: NewId;
  readonly #place: SightingPlace | undefined;
  /** By principal, the one used longest ago first. */
  readonly #open = new Map<string, Conversation>();
  #store: Promise<SightingStore> | undefined;

  constructor(
    { state, decisions }: Pick<GatewayConfig, "state" | "decisions">,
    stateDir: string,
    newId: NewId,
  ) {
    this.#stateDir = stateDir;
    this.#newId = newId;
    const { redisUrl, sharesConversations } = state;
    const place = { redisUrl, decisions: decisions.store };
    this.#place = sharesConversations ? place : undefined;
  }

  /**
   * The one that somebody trusted names, else everything of (tenant, user, agent), whatever characters
   * their ids have.
   */
  of({ key, conversation }: Principal): ConversationView {
    const all = this.#openAll(key);
    return conversation === undefined ? all : all.vouched(conversation);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((conversation) => conversation.close()));
    const store = await this.#store?.catch(() => undefined);
    await store?.close();
  }

  #openAll(key: string): Conversation {
    const all = this.#open.get(key) ?? this.#create(key);
    this.#open.delete(key);
    this.#open.set(key, all);
    if (this.#open.size > maxOpen) this.#closeOldest();
    return all;
  }

  #create(key: string): Conversation {
    const folder = join(this.#stateDir, "conversations", key);
    return new Conversation(folder, this.#newId, { shared: this.#sharedOf(key) });
  }

  #sharedOf(key: string): SharedSightings | undefined {
    const place = this.#place;
    if (place === undefined) return undefined;
    const shared = async (): Promise<SharedSightings> =>
      (await (this.#store ??= loadStore(place))).of(key);
    return {
      read: async (of) => await (await shared()).read(of),
      write: async (entries) => await (await shared()).write(entries),
      countVouched: async (sinceMs) => await (await shared()).countVouched(sinceMs),
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

/** Most gateways share nothing, and every start would pay for it. */
async function loadStore(place: SightingPlace): Promise<SightingStore> {
  const { openSightings } = await import("../policy/input/shared-sightings.ts");
  return await openSightings(place);
}
