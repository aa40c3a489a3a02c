/**
 * Follows one writer's chain, record by record in the order of their places, and says what does not
 * fit: a record that is not what was written, one that is missing, one too many, and a chain that
 * does not pass through the places that its checkpoints state.
 */
import { firstLink, linkOf } from "./chain-link.ts";
import type { StatedPlace } from "./checkpoint.ts";
import type { PrunedRange } from "./pruned-range.ts";

/** A record as it was found; digests were taken from what was found, links are what it says. */
export interface FoundRecord {
  readonly seq: number;
  readonly previous: string;
  readonly link: string;
  readonly headerSha256: string;
  readonly recordSha256: string;
  /** What of it does not agree with itself, before any chain is looked at. */
  readonly problem?: string | undefined;
  /** The store could not insert it, and keeps it apart. */
  readonly isDeadLetter?: boolean | undefined;
  /** The store has nothing of it for its views. */
  readonly isUndocumented?: boolean | undefined;
  /** The record itself, where it is still there. */
  readonly text?: string | undefined;
  /** What is left of one whose payload was pruned, under the names of its header. */
  readonly columns?: Readonly<Record<string, unknown>> | undefined;
}

export type TamperingKind =
  | "edited"
  | "missing"
  | "duplicate"
  | "out_of_chain"
  | "truncated"
  | "other_history"
  | "checkpoint";

export interface Tampering {
  readonly kind: TamperingKind;
  readonly writer: string;
  /** First place that does not fit. */
  readonly seq: number;
  readonly message: string;
}

/** One pass over one writer. `next` for each record, then `end`. */
export class ChainCheck {
  readonly #writer: string;
  readonly #stated: ReadonlyMap<number, StatedPlace>;
  readonly #last: StatedPlace | undefined;
  readonly #pruned: ReadonlyMap<number, PrunedRange>;
  readonly #found: Tampering[] = [];
  #seq = 0;
  #link: string;
  #count = 0;
  #deadLetters = 0;
  #undocumented = 0;
  #removed = 0;
  #isEnded = false;

  /** `pruned`: what signed statements say was removed on purpose. */
  constructor(
    writer: string,
    statements: readonly StatedPlace[],
    pruned: readonly PrunedRange[] = [],
  ) {
    this.#writer = writer;
    this.#stated = new Map(statements.map((statement) => [statement.seq, statement]));
    this.#last = statements.toSorted((left, right) => left.seq - right.seq).at(-1);
    this.#pruned = new Map(pruned.map((range) => [range.first, range]));
    this.#link = firstLink(writer);
  }

  /** Records that were seen. */
  get count(): number {
    return this.#count;
  }

  /** Records that are not there because they were pruned. */
  get removed(): number {
    return this.#removed;
  }

  /** Records that nobody sees in a view, because the store could not insert them. */
  get deadLetters(): number {
    return this.#deadLetters;
  }

  /** Records of which views show their columns alone. */
  get undocumented(): number {
    return this.#undocumented;
  }

  /** Records behind the last checkpoint. */
  get uncovered(): number {
    return Math.max(0, this.#seq - (this.#last?.seq ?? 0));
  }

  /** In the order of places; records of one place in any order. */
  next(record: FoundRecord): void {
    this.#count += 1;
    if (record.isDeadLetter === true) this.#deadLetters += 1;
    if (record.isUndocumented === true) this.#undocumented += 1;
    if (record.seq < 1) {
      return this.#tell("edited", record.seq, record.problem ?? "there is no such place");
    }
    if (record.seq === this.#seq) {
      return this.#tell("duplicate", record.seq, "there is more than one record at this place");
    }
    this.#cross(record.seq);
    if (record.seq > this.#seq + 1) this.#missing(this.#seq + 1, record.seq - 1);
    else this.#follow(record);
    this.#own(record);
    this.#seq = record.seq;
    this.#link = record.link;
    this.#compare(record.seq, record.link);
  }

  /** Everything that does not fit. */
  end(): readonly Tampering[] {
    if (this.#isEnded) return this.#found;
    this.#isEnded = true;
    this.#cross(Number.POSITIVE_INFINITY);
    const last = this.#last;
    if (last !== undefined && last.seq > this.#seq) {
      this.#tell(
        "truncated",
        this.#seq + 1,
        `the chain ends at ${this.#seq}; at ${last.time} it had reached ${last.seq}`,
      );
    }
    if (last?.final === true && last.seq < this.#seq) {
      const message = `the writer had ended at ${last.seq}; there are records behind it`;
      this.#tell("duplicate", last.seq + 1, message);
    }
    return this.#found;
  }

  /** Goes on behind what was pruned, as far as records of these places are not there. */
  #cross(before: number): void {
    for (;;) {
      const range = this.#pruned.get(this.#seq + 1);
      if (range === undefined || range.last < range.first || range.last >= before) return;
      if (range.previous !== this.#link) {
        const message = "its link to the record before does not fit what was pruned behind it";
        this.#tell("out_of_chain", range.first, message);
      }
      this.#removed += range.last - range.first + 1;
      this.#seq = range.last;
      this.#link = range.link;
      this.#compare(range.last, range.link);
    }
  }

  #follow(record: FoundRecord): void {
    if (record.previous === this.#link) return;
    const message = "its link to the record before does not fit: another one stood there";
    this.#tell("out_of_chain", record.seq, message);
  }

  /** Whether what was found is what its own link was made over. */
  #own(record: FoundRecord): void {
    const { seq, previous, headerSha256, recordSha256, problem } = record;
    if (problem !== undefined) return this.#tell("edited", seq, problem);
    const link = linkOf({ writer: this.#writer, seq, previous, headerSha256, recordSha256 });
    if (link !== record.link) this.#tell("edited", seq, "it is not the record that was written");
  }

  #compare(seq: number, link: string): void {
    const stated = this.#stated.get(seq);
    if (stated === undefined || stated.link === link) return;
    const message = `the checkpoint of ${stated.time} has another history up to here`;
    this.#tell("other_history", seq, message);
  }

  #missing(from: number, to: number): void {
    const range = from === to ? `record ${from} is` : `records ${from} to ${to} are`;
    this.#tell("missing", from, `${range} missing`);
  }

  #tell(kind: TamperingKind, seq: number, message: string): void {
    this.#found.push({ kind, writer: this.#writer, seq, message });
  }
}
