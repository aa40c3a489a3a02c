/**
 * The stores of blocks that a configuration has: always the file of this machine, and, where
 * decisions go to Postgres, the table that all replicas share.
 */
import type { DecisionsConfig } from "../../config/config.ts";
import type { PostgresOptions } from "../../database/postgres.ts";
import type { BlockScope } from "./block.ts";
import type { BlockFilePlace, KnownBlocks } from "./block-file.ts";
import { openBlockFile, openKnownBlocks } from "./block-file.ts";
import type { BlockStore } from "./block-store.ts";
import { openBlockTable } from "./block-table.ts";

export interface BlockStoresPlace extends BlockFilePlace {
  readonly store: DecisionsConfig["store"];
  /** Of the connection to a shared store. */
  readonly postgres?: PostgresOptions;
}

/** One store, and of a shared one what was last read from it. */
export interface BlockSource {
  readonly store: BlockStore;
  readonly known: KnownBlocks | undefined;
}

/** The widest scope first. */
export function openBlockSources(place: BlockStoresPlace): readonly BlockSource[] {
  const { store, tenant, postgres } = place;
  const local = { store: openBlockFile(place), known: undefined };
  if (store.kind === "embedded") return [local];
  const options = postgres === undefined ? {} : { options: postgres };
  const shared = {
    store: openBlockTable({ url: store.url, tenant, ...options }),
    known: openKnownBlocks(place, addressOf(store.url)),
  };
  return [shared, local];
}

/** The source that a new block goes to: what is asked for, else the widest. */
export function sourceOf(
  sources: readonly BlockSource[],
  scope: BlockScope | undefined,
): BlockSource | undefined {
  return scope === undefined ? sources[0] : sources.find(({ store }) => store.scope === scope);
}

/** Host, port and database; neither user nor password. */
function addressOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
