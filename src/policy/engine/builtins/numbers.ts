/**
 * `numbers.range_step`: whole numbers from one to another, both ends among them where a step meets
 * them, up or down.
 */
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { wholeNumberOf } from "./operands.ts";
import { writeArray } from "./values.ts";

/** More do not fit a policy's memory. */
const maxCount = 1_000_000n;

const rangeStep: Builtin = ([from, to, by]) => {
  const [first, last, step] = [wholeNumberOf(from), wholeNumberOf(to), wholeNumberOf(by)];
  if (first === undefined || last === undefined || step === undefined || step <= 0n) {
    return undefined;
  }
  const distance = last - first;
  const count = (distance < 0n ? -distance : distance) / step + 1n;
  if (count > maxCount) {
    throw new Error(`expected a range of at most ${maxCount} numbers, found ${count}`);
  }
  const signed = distance < 0n ? -step : step;
  return writeArray(
    Array.from({ length: Number(count) }, (_, place) => String(first + signed * BigInt(place))),
  );
};

export const numberBuiltins: BuiltinGroup = { "numbers.range_step": rangeStep };
