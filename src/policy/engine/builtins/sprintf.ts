/**
 * `sprintf` as OPA's own evaluator has it: Go's `fmt.Sprintf`, to which numbers come as `int64`,
 * `*big.Int` or `float64`, strings as strings, and everything else as the text that OPA prints of
 * it. A wrong verb or count is written into the text, as Go does, and is no error. Only `%p` and `%w` of a
 * `*big.Int` differ, which there print addresses and memory.
 */
import type { OpaValue } from "../opa-value.ts";
import { goFormat } from "./go-format.ts";
import type { GoOperand } from "./go-operand.ts";
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { printOpaValue } from "./print-opa-value.ts";

const maxInt64 = 2n ** 63n - 1n;

export const sprintf: Builtin = ([format, operands]) => {
  if (format?.kind !== "string" || operands?.kind !== "array") return undefined;
  return JSON.stringify(goFormat(format.value, operands.items.map(toGo)));
};

export const sprintfBuiltins: BuiltinGroup = { sprintf };

function toGo(value: OpaValue): GoOperand {
  switch (value.kind) {
    case "number":
      return numberToGo(value.text);
    case "string":
      return { type: "string", value: value.value };
    case "null":
    case "boolean":
      return { type: "string", value: value.text };
    case "array":
    case "set":
    case "object":
      return { type: "string", value: printOpaValue(value) };
  }
}

function numberToGo(text: string): GoOperand {
  if (/[.eE]/u.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? { type: "float64", value } : { type: "string", value: text };
  }
  const value = BigInt(text);
  const isInt64 = value >= -maxInt64 - 1n && value <= maxInt64;
  return { type: isInt64 ? "int64" : "*big.Int", value };
}
