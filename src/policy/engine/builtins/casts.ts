/**
 * The `cast_*` builtins, which Rego v1 no longer has and bundles of older policies still call.
 */
import type { OpaValue } from "../opa-value.ts";
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { compareOpaValues, sortedItems } from "./compare-opa-values.ts";
import { itemsOf } from "./operands.ts";
import { writeArray, writeSet, writeValue } from "./values.ts";

const castArray: Builtin = ([operand]) => {
  const items = itemsOf(operand);
  if (items === undefined) return undefined;
  return writeArray((operand?.kind === "set" ? sortedItems(items) : items).map(writeValue));
};

const castSet: Builtin = ([operand]) => {
  const items = itemsOf(operand);
  return items === undefined ? undefined : writeSet(withoutRepeats(items).map(writeValue));
};

/** The value itself where it is of the kind already. */
function castOnly(kind: OpaValue["kind"]): Builtin {
  return ([operand]) => (operand?.kind === kind ? writeValue(operand) : undefined);
}

/** 1 and 1.0 are one member. */
function withoutRepeats(items: readonly OpaValue[]): readonly OpaValue[] {
  const sorted = sortedItems(items);
  return sorted.filter((item, place) => {
    const before = sorted[place - 1];
    return before === undefined || compareOpaValues(before, item) !== 0;
  });
}

export const castBuiltins: BuiltinGroup = {
  cast_array: castArray,
  cast_boolean: castOnly("boolean"),
  cast_null: castOnly("null"),
  cast_object: castOnly("object"),
  cast_set: castSet,
  cast_string: castOnly("string"),
};
