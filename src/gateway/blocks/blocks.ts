/**
 * What is blocked, as the spine and the admin interface see it.
 */
import type { Principal } from "../../contract/principal.ts";
import type { Block, BlockScope, StopPlace } from "./block.ts";
import type { BlockOutcome, BlockWish } from "./change-blocks.ts";

/** Why something is refused before any policy is asked. */
export type Stop =
  | { readonly code: "blocked"; readonly block: Block }
  /** Nobody knows what is blocked. */
  | { readonly code: "state_unavailable" };

/** A block, and where it is kept. */
export interface ScopedBlock extends Block {
  readonly scope: BlockScope;
}

export interface Blocks {
  /** Resolves when each store was read once, or did not answer; it never rejects. */
  readonly ready: Promise<void>;
  /** False while a store was never read: everything is denied. */
  readonly isKnown: () => boolean;
  /** Why these are stopped; without a place what is asked is whether the principal is. */
  readonly stopOf: (principal: Principal, place?: StopPlace) => Stop | undefined;
  readonly list: () => readonly ScopedBlock[];
  /** Stores that did not answer the last time; what they last said is enforced. */
  readonly away: () => readonly BlockScope[];
  /** Calls when something was blocked or lifted; returns how to stop. */
  readonly onChange: (listener: () => void) => () => void;
  readonly block: (wish: BlockWish, scope: BlockScope | undefined) => Promise<BlockOutcome>;
  readonly lift: (wish: BlockWish) => Promise<readonly BlockScope[]>;
  readonly close: () => Promise<void>;
}
