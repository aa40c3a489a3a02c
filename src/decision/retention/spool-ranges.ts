/**
 * The places of a segment that is about to be removed, in ranges, and the first of them at which
 * something else stands than was written: a record that its link was not made over, one that does not
 * follow the one before it, and one that a checkpoint states otherwise. Places between two ranges are
 * missing already, and stay so.
 */
import { firstLink } from "../integrity/chain-link.ts";
import type { StatedPlace } from "../integrity/checkpoint.ts";
import type { ChainHead } from "../integrity/envelope.ts";
import { openEnvelope } from "../integrity/envelope.ts";
import { fitsBehind } from "../integrity/fits-behind.ts";
import { foundText } from "../integrity/found-record.ts";
import type { PrunedRange } from "../integrity/pruned-range.ts";

/** What is known of one segment. */
interface SegmentRanges {
  readonly ranges: readonly PrunedRange[];
  readonly misfit: number | undefined;
}

/** Of one writer, segment by segment in their order. */
export class SpoolRanges {
  readonly #writer: string;
  readonly #stated: ReadonlyMap<number, string>;
  #head: ChainHead | undefined;
  #ranges: PrunedRange[] = [];
  #misfit: number | undefined;

  constructor(writer: string, stated: readonly StatedPlace[]) {
    this.#writer = writer;
    this.#stated = new Map(stated.map(({ seq, link }) => [seq, link]));
  }

  /** Takes the next record. Nobody vouches for what never stood in a chain. */
  add(text: string): void {
    const envelope = openEnvelope(text);
    if (envelope === undefined) {
      if (this.#head !== undefined) this.#misfit ??= this.#head.seq + 1;
      return;
    }
    const { seq, previous, link } = envelope;
    const before = this.#before(seq, previous);
    const record = foundText(text, { writer: this.#writer, seq, columns: undefined });
    const isStated = (this.#stated.get(seq) ?? link) === link;
    if (!isStated || !fitsBehind(record, this.#writer, before)) this.#misfit ??= seq;
    const last = this.#ranges.at(-1);
    if (last !== undefined && last.last + 1 === seq && last.link === previous) {
      this.#ranges[this.#ranges.length - 1] = { ...last, last: seq, link };
    } else this.#ranges.push({ first: seq, last: seq, previous, link });
    this.#head = { seq, link };
  }

  /** What was found since the last time. */
  take(): SegmentRanges {
    const found = { ranges: this.#ranges, misfit: this.#misfit };
    this.#ranges = [];
    this.#misfit = undefined;
    return found;
  }

  /** Where places are missing before it, a record is believed about what stood there. */
  #before(seq: number, previous: string): ChainHead {
    const head = this.#head;
    const isBehindGap = head === undefined || seq > head.seq + 1;
    if (!isBehindGap) return head;
    return { seq: seq - 1, link: seq === 1 ? firstLink(this.#writer) : previous };
  }
}
