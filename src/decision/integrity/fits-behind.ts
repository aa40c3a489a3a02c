/**
 * Whether a record that was found is the next one of its chain, and is what was written.
 */
import { linkOf } from "./chain-link.ts";
import type { FoundRecord } from "./chain-check.ts";
import type { ChainHead } from "./envelope.ts";

/** `head`: where the writer's chain stands before it. */
export function fitsBehind(record: FoundRecord, writer: string, { seq, link }: ChainHead): boolean {
  const isNext = record.seq === seq + 1 && record.previous === link;
  return isNext && record.problem === undefined && linkOf({ ...record, writer }) === record.link;
}
