/**
 * Where blocks are kept, behind one interface: a table that all replicas share, and a file that all
 * gateways of one state folder share.
 */
import type { Block, BlockScope, BlockSubject } from "./block.ts";

/** `blocks` is `undefined` where nothing has changed since that revision. */
export interface BlockReading {
  readonly revision: string;
  readonly blocks: readonly Block[] | undefined;
}

/** Every member rejects where the store is away. */
export interface BlockStore {
  readonly scope: BlockScope;
  /** Of one tenant; cheap where nothing has changed. */
  readonly read: (since: string | undefined) => Promise<BlockReading>;
  /** False where it is blocked already. */
  readonly add: (block: Block) => Promise<boolean>;
  /** False where it is not blocked. */
  readonly remove: (subject: BlockSubject) => Promise<boolean>;
  readonly close: () => Promise<void>;
}
