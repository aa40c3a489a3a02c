/**
 * `strings.any_prefix_match` and `strings.any_suffix_match`: does any of the strings start (end)
 * with any of the others. Either operand is a string, or an array or set of strings.
 */
import type { OpaValue } from "../opa-value.ts";
import type { Builtin, BuiltinGroup } from "./builtin.ts";

export const anyPrefixMatch: Builtin = (operands) =>
  anyMatch(operands, (text, prefix) => text.startsWith(prefix));

export const anySuffixMatch: Builtin = (operands) =>
  anyMatch(operands, (text, suffix) => text.endsWith(suffix));

export const affixBuiltins: BuiltinGroup = {
  "strings.any_prefix_match": anyPrefixMatch,
  "strings.any_suffix_match": anySuffixMatch,
};

function anyMatch(
  [search, base]: readonly OpaValue[],
  matches: (text: string, affix: string) => boolean,
): string | undefined {
  const texts = stringsOf(search);
  const affixes = stringsOf(base);
  if (texts === undefined || affixes === undefined) return undefined;
  return String(texts.some((text) => affixes.some((affix) => matches(text, affix))));
}

function stringsOf(operand: OpaValue | undefined): readonly string[] | undefined {
  if (operand === undefined) return undefined;
  if (operand.kind === "string") return [operand.value];
  if (operand.kind !== "array" && operand.kind !== "set") return undefined;
  const strings = operand.items.flatMap((item) => (item.kind === "string" ? [item.value] : []));
  return strings.length === operand.items.length ? strings : undefined;
}
