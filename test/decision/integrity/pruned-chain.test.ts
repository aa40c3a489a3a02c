import { describe, expect, test } from "vitest";
import { newId } from "../../../src/config/ambient.ts";
import { encodeRecord } from "../../../src/decision/encode-record.ts";
import { ChainCheck } from "../../../src/decision/integrity/chain-check.ts";
import type { FoundRecord } from "../../../src/decision/integrity/chain-check.ts";
import { firstLink } from "../../../src/decision/integrity/chain-link.ts";
import type { CheckpointStatement } from "../../../src/decision/integrity/checkpoint.ts";
import { envelop } from "../../../src/decision/integrity/envelope.ts";
import type { ChainHead } from "../../../src/decision/integrity/envelope.ts";
import { foundText } from "../../../src/decision/integrity/found-record.ts";
import type { PrunedRange } from "../../../src/decision/integrity/pruned-range.ts";
import { allowed } from "../support.ts";

const writer = "0190-writer";

/** Ten records; with `seed` those of another history from there on. */
function chainOf(length: number, before: ChainHead = { seq: 0, link: firstLink(writer) }): Chain {
  const records: FoundRecord[] = [];
  let head = before;
  while (head.seq < length) {
    const record = encodeRecord(allowed({ decisionId: newId() }), { id: writer, version: "0" });
    const next = envelop(writer, head, record);
    records.push(foundText(next.text, { writer, seq: next.seq, columns: undefined }));
    head = next;
  }
  return records;
}

type Chain = readonly FoundRecord[];

function rangeOf(chain: Chain, first: number, last: number): PrunedRange {
  const [begin, end] = [chain[first - 1], chain[last - 1]];
  return { first, last, previous: begin?.previous ?? "", link: end?.link ?? "" };
}

function checkpointAt(chain: Chain, seq: number, final = true): CheckpointStatement {
  const link = chain[seq - 1]?.link ?? "";
  const about = { version: 1, writer, previous: null, others: {}, key: "" } as const;
  return { ...about, seq, link, final, time: "2026-01-01T00:00:00Z" };
}

function check(
  records: Chain,
  statements: readonly CheckpointStatement[],
  pruned: readonly PrunedRange[],
): readonly (readonly [string, number])[] {
  const chainCheck = new ChainCheck(writer, statements, pruned);
  for (const record of records) chainCheck.next(record);
  return chainCheck.end().map(({ kind, seq }) => [kind, seq]);
}

describe("a chain of which places were pruned", () => {
  const chain = chainOf(10);
  const end = checkpointAt(chain, 10);
  const without = (...places: readonly number[]): Chain =>
    chain.filter(({ seq }) => !places.includes(seq));

  test("is whole where a statement says so, at the start, between and at the end", () => {
    expect(check(without(1, 2), [end], [rangeOf(chain, 1, 2)])).toEqual([]);
    expect(check(without(1, 2, 5), [end], [rangeOf(chain, 1, 2), rangeOf(chain, 5, 5)])).toEqual(
      [],
    );
    expect(check(without(9, 10), [end], [rangeOf(chain, 9, 10)])).toEqual([]);
    const all = [rangeOf(chain, 1, 4), rangeOf(chain, 5, 10)];
    expect(check([], [end], all)).toEqual([]);
  });

  test("is whole where a statement was made and nothing was removed", () => {
    expect(check(chain, [end], [rangeOf(chain, 1, 4)])).toEqual([]);
  });

  test("does not go further than the statement", () => {
    expect(check(without(1, 2, 3), [end], [rangeOf(chain, 1, 2)])).toEqual([["missing", 3]]);
    expect(check(without(2, 3), [end], [rangeOf(chain, 3, 3)])).toEqual([["missing", 2]]);
    expect(check(without(9, 10), [end], [rangeOf(chain, 9, 9)])).toEqual([["truncated", 10]]);
    expect(check([], [end], [rangeOf(chain, 1, 9)])).toEqual([["truncated", 10]]);
  });

  test("is bound to the record before what was pruned", () => {
    const [second] = chainOf(2, { seq: 1, link: chain[0]?.link ?? "" });
    const forged = without(2, 3, 4).toSpliced(1, 0, ...(second === undefined ? [] : [second]));
    expect(check(forged, [end], [rangeOf(chain, 3, 4)])).toEqual([["out_of_chain", 3]]);
  });

  test("is bound to the record behind what was pruned", () => {
    const forged = chainOf(10, { seq: 4, link: "0".repeat(64) });
    const found = check(forged, [end], [rangeOf(chain, 1, 4)]);
    expect(found).toEqual([
      ["out_of_chain", 5],
      ["other_history", 10],
    ]);
  });

  test("passes through the checkpoints at its ends", () => {
    const other = { ...checkpointAt(chain, 4, false), link: "0".repeat(64) };
    expect(check(without(1, 2, 3, 4), [other, end], [rangeOf(chain, 1, 4)])).toEqual([
      ["other_history", 4],
    ]);
  });
});
