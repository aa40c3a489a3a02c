/**
 * `rand.intn` and `uuid.rfc4122`. What they answer follows from the decision's seed and their
 * operands alone: within a decision the same question has the same answer, as in OPA, and nobody
 * who does not know the seed can foresee it.
 */
import { createHmac } from "node:crypto";
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { int64Of, textOf } from "./operands.ts";
import { printOpaValue } from "./print-opa-value.ts";
import { writeText } from "./values.ts";

const randomInteger: Builtin = ([key, limit], { seed }) => {
  const [name, signed] = [textOf(key), int64Of(limit)];
  if (name === undefined || signed === undefined) return undefined;
  const below = signed < 0n ? -signed : signed;
  if (below === 0n) return "0";
  // 256 bits for at most 63: that the last numbers are a little rarer cannot be seen.
  const drawn = BigInt(`0x${draw(seed, "rand.intn", `${name}-${below}`).toString("hex")}`);
  return String(drawn % below);
};

const randomUuid: Builtin = ([key], { seed }) => {
  if (key === undefined) return undefined;
  const bytes = draw(seed, "uuid.rfc4122", printOpaValue(key)).subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  const ends = [0, 8, 12, 16, 20, 32];
  const groups = ends.slice(1).map((end, place) => hex.slice(ends[place], end));
  return writeText(groups.join("-"));
};

function draw(seed: string, builtin: string, key: string): Buffer {
  return createHmac("sha256", seed).update(`${builtin}\n${key}`).digest();
}

export const randomBuiltins: BuiltinGroup = {
  "rand.intn": randomInteger,
  "uuid.rfc4122": randomUuid,
};
