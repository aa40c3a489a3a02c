/**
 * Keeps what is blocked at hand: reads each store again and again, keeps what a shared one said in a
 * file, and goes on enforcing that while the store is away. A gateway that has never heard of a
 * shared store, in this run or an earlier one, does not know whom it may serve, and serves nobody.
 */
import { setTimeout as delay } from "node:timers/promises";
import { ancestorIds } from "../../config/ancestors.ts";
import type { Log } from "../../contract/ambient.ts";
import type { AgentIdentity } from "../../contract/policy-input.ts";
import type { Principal } from "../../contract/principal.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { Block, BlockScope, StopPlace } from "./block.ts";
import { BlockSet } from "./block.ts";
import { BlockError } from "./block-error.ts";
import type { Blocks, ScopedBlock, Stop } from "./blocks.ts";
import type { BlockHands, BlockOutcome, BlockWish } from "./change-blocks.ts";
import { addBlock, liftBlock } from "./change-blocks.ts";
import type { BlockSource } from "./open-block-stores.ts";
import { sourceOf } from "./open-block-stores.ts";

/** Every replica has to know within a second. */
const lookEveryMs = 400;
/** A connection that is being made may take long to give up. */
const closeGraceMs = 500;

export interface BlockWatchOptions extends BlockHands {
  readonly sources: readonly BlockSource[];
  /** Agents that the operator vouches for, by id. */
  readonly agents: ReadonlyMap<string, AgentIdentity>;
  /** Resolves when stores may be asked; a front first answers its client's greeting. */
  readonly mayStart: Promise<void>;
  readonly log: Log;
}

interface Watched {
  readonly source: BlockSource;
  /** `undefined` while nobody has said anything. */
  blocks: readonly Block[] | undefined;
  revision: string | undefined;
  isAway: boolean;
  timer: NodeJS.Timeout | undefined;
  /** One look at a time, so that an older answer never comes after a newer one. */
  looking: Promise<void>;
}

/** Looks from its construction until `close`. */
export class BlockWatch implements Blocks {
  readonly ready: Promise<void>;
  readonly #options: BlockWatchOptions;
  readonly #watched: readonly Watched[];
  readonly #listeners = new Set<() => void>();
  #set = new BlockSet([]);
  #isKnown = false;
  #isClosed = false;

  constructor(options: BlockWatchOptions) {
    this.#options = options;
    const begin = { blocks: undefined, revision: undefined, isAway: false, timer: undefined };
    this.#watched = options.sources.map((source) => ({
      source,
      ...begin,
      looking: Promise.resolve(),
    }));
    this.ready = options.mayStart.then(async () => {
      await Promise.all(this.#watched.map((watched) => this.#start(watched)));
    });
  }

  isKnown(): boolean {
    return this.#isKnown;
  }

  stopOf(principal: Principal, place?: StopPlace): Stop | undefined {
    const above = (): readonly string[] => ancestorIds(principal.agent, this.#options.agents);
    const own = this.#set.findPrincipal(principal, above);
    const block = own ?? (place === undefined ? undefined : this.#set.findPlace(place));
    if (block !== undefined) return { code: "blocked", block };
    return this.#isKnown ? undefined : { code: "state_unavailable" };
  }

  list(): readonly ScopedBlock[] {
    return this.#watched.flatMap(({ source, blocks = [] }) =>
      blocks.map((block) => ({ ...block, scope: source.store.scope })),
    );
  }

  away(): readonly BlockScope[] {
    return this.#watched.flatMap(({ source, isAway }) => (isAway ? [source.store.scope] : []));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async block(wish: BlockWish, scope: BlockScope | undefined): Promise<BlockOutcome> {
    const source = sourceOf(this.#options.sources, scope);
    if (source === undefined) {
      const message = `expected scope "this_machine", found "everywhere"; only gateways with decisions.store in Postgres share blocks`;
      throw new BlockError("block_invalid", message);
    }
    const outcome = await addBlock(this.#options, source.store, wish);
    await this.#lookAll();
    return outcome;
  }

  async lift(wish: BlockWish): Promise<readonly BlockScope[]> {
    const stores = this.#options.sources.map(({ store }) => store);
    const scopes = await liftBlock(this.#options, stores, wish);
    await this.#lookAll();
    return scopes;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { timer } of this.#watched) clearTimeout(timer);
    const closed = Promise.all(this.#watched.map(({ source }) => source.store.close()));
    await Promise.race([closed, delay(closeGraceMs, undefined, { ref: false })]);
  }

  async #start(watched: Watched): Promise<void> {
    const { known } = watched.source;
    await known?.read().then(
      (blocks) => blocks && this.#learn(watched, blocks),
      (thrown: unknown) => this.#options.log.error(reasonOf(thrown), "kept blocks cannot be read"),
    );
    await this.#look(watched);
    this.#again(watched);
  }

  #again(watched: Watched): void {
    if (this.#isClosed) return;
    watched.timer = setTimeout(() => {
      void this.#look(watched).then(() => this.#again(watched));
    }, lookEveryMs).unref();
  }

  async #lookAll(): Promise<void> {
    await Promise.all(this.#watched.map((watched) => this.#look(watched)));
  }

  #look(watched: Watched): Promise<void> {
    watched.looking = watched.looking.then(() => this.#lookOnce(watched));
    return watched.looking;
  }

  /** Never rejects; what a store last said stays in force. */
  async #lookOnce(watched: Watched): Promise<void> {
    if (this.#isClosed) return;
    const { store } = watched.source;
    try {
      const { revision, blocks } = await store.read(watched.revision);
      this.#heard(watched);
      if (blocks === undefined) return;
      watched.revision = revision;
      this.#learn(watched, blocks);
      await this.#keep(watched, blocks);
    } catch (thrown) {
      this.#missed(watched, thrown);
    }
  }

  async #keep({ source: { known } }: Watched, blocks: readonly Block[]): Promise<void> {
    await known?.write(blocks).catch((thrown: unknown) => {
      this.#options.log.error(reasonOf(thrown), "blocks could not be kept for the next start");
    });
  }

  #learn(watched: Watched, blocks: readonly Block[]): void {
    const before = JSON.stringify(this.list());
    watched.blocks = blocks;
    this.#isKnown = this.#watched.every((each) => each.blocks !== undefined);
    this.#set = new BlockSet(this.list());
    if (before === JSON.stringify(this.list())) return;
    this.#options.log.info({ blocks: this.list().length }, "blocks have changed");
    for (const listener of this.#listeners) listener();
  }

  #heard(watched: Watched): void {
    if (!watched.isAway) return;
    watched.isAway = false;
    this.#options.log.info({ scope: watched.source.store.scope }, "store of blocks is back");
  }

  #missed(watched: Watched, thrown: unknown): void {
    if (watched.isAway) return;
    watched.isAway = true;
    const found = { scope: watched.source.store.scope, ...reasonOf(thrown) };
    const { log } = this.#options;
    if (watched.blocks !== undefined) {
      log.warn(found, "store of blocks is away; what it last said is enforced");
    } else log.error(found, "nobody knows what is blocked; every call is denied until it is known");
  }
}

function reasonOf(thrown: unknown) {
  return { code: codeOf(thrown), reason: messageOf(thrown) };
}
