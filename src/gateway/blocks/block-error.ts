/**
 * Errors of blocks.
 */
import { GatewayError } from "../../errors.ts";

export type BlockErrorCode =
  /** The file that keeps blocks cannot be read, written or locked. */
  | "blocks_unusable"
  /** What is to be lifted is not blocked. */
  | "block_unknown"
  /** What is to be blocked cannot be: no such kind, server or form. */
  | "block_invalid";

/** Thrown by `gateway/blocks/`. */
export class BlockError extends GatewayError<BlockErrorCode> {}
