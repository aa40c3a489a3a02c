/**
 * How an operator blocks something or lifts a block: first the record, durable, then the store that
 * gateways look at. Where the record cannot be written nothing is changed; where the store is away
 * nothing is recorded, because it is asked before.
 */
import type { Clock, NewId } from "../../contract/ambient.ts";
import type { DecisionLog } from "../../contract/record.ts";
import type { Block, BlockScope, BlockSubject } from "./block.ts";
import { isSameSubject, subjectText } from "./block.ts";
import { BlockError } from "./block-error.ts";
import type { BlockStore } from "./block-store.ts";

export interface BlockHands {
  readonly tenant: string;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly note: DecisionLog["note"];
  /** Takes secrets out of a reason before it is kept or told. */
  readonly scrub: (text: string) => string;
}

/** Who wants it, and why. */
export interface BlockWish {
  readonly subject: BlockSubject;
  readonly by: string;
  readonly reason: string | null;
}

/** What is blocked now. */
export interface BlockOutcome {
  readonly block: Block;
  readonly scope: BlockScope;
  /** False where it was blocked before; then nothing is recorded. */
  readonly isNew: boolean;
}

/** Blocks something. */
export async function addBlock(
  hands: BlockHands,
  store: BlockStore,
  wish: BlockWish,
): Promise<BlockOutcome> {
  const { scope } = store;
  const { subject, by, reason } = scrubbed(hands, wish);
  const before = await findIn(store, subject);
  if (before !== undefined) return { block: before, scope, isNew: false };
  const at = new Date(hands.clock.nowMs()).toISOString();
  const block = { kind: subject.kind, id: subject.id, by, at, reason };
  await record(hands, "block", { subject, by, reason }, [scope]);
  return { block, scope, isNew: await store.add(block) };
}

/**
 * Lifts a block wherever it is.
 *
 * @throws BlockError `block_unknown` where it is in none of the stores
 */
export async function liftBlock(
  hands: BlockHands,
  stores: readonly BlockStore[],
  wish: BlockWish,
): Promise<readonly BlockScope[]> {
  const holding: BlockStore[] = [];
  for (const store of stores) {
    if ((await findIn(store, wish.subject)) !== undefined) holding.push(store);
  }
  if (holding.length === 0) throw notBlocked(wish.subject);
  const scopes = holding.map(({ scope }) => scope);
  await record(hands, "lift", scrubbed(hands, wish), scopes);
  for (const store of holding) await store.remove(wish.subject);
  return scopes;
}

function scrubbed({ scrub }: BlockHands, wish: BlockWish): BlockWish {
  const { reason } = wish;
  return reason === null ? wish : { ...wish, reason: scrub(reason) };
}

async function findIn(store: BlockStore, subject: BlockSubject): Promise<Block | undefined> {
  const { blocks = [] } = await store.read(undefined);
  return blocks.find((block) => isSameSubject(block, subject));
}

async function record(
  { tenant, clock, newId, note }: BlockHands,
  action: "block" | "lift",
  { subject, by, reason }: BlockWish,
  scopes: readonly BlockScope[],
): Promise<void> {
  const details = { kind: subject.kind, id: subject.id, scopes };
  const about = { tenant, by, action, subject: subjectText(subject), reason, details };
  await note({ kind: "admin", decisionId: newId(), timeMs: clock.nowMs(), ...about });
}

function notBlocked(subject: BlockSubject): BlockError {
  const message = `expected ${subjectText(subject)} to be blocked, found no such block; see mcp-gateway block list`;
  return new BlockError("block_unknown", message);
}
