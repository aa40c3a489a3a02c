/**
 * `object.subset`: is the second value part of the first. Objects, arrays and sets inside of them
 * may be parts as well; an array is part of another where its elements stand there in a row.
 */
import type { OpaMember, OpaValue } from "../opa-value.ts";
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { compareOpaValues, sortedItems, sortedMembers } from "./compare-opa-values.ts";
import { canonicalText } from "./canonical-text.ts";

const subset: Builtin = ([whole, part]) => {
  if (whole === undefined || part === undefined) return undefined;
  const answer = isPart(whole, part);
  return answer === undefined ? undefined : String(answer);
};

/** Undefined for kinds that cannot be compared. */
function isPart(whole: OpaValue, part: OpaValue): boolean | undefined {
  if (whole.kind === "object" && part.kind === "object") {
    return isPartOfObject(whole.members, part.members);
  }
  if (whole.kind === "array" && part.kind === "array") {
    return isPartOfArray(whole.items, part.items);
  }
  if (part.kind !== "set") return undefined;
  if (whole.kind === "set") return hasAll(whole.items, part.items);
  return whole.kind === "array" ? arrayHasAll(whole.items, part.items) : undefined;
}

function isPartOfObject(whole: readonly OpaMember[], part: readonly OpaMember[]): boolean {
  const ours = sortedMembers(whole);
  let place = 0;
  return sortedMembers(part).every(([key, value]) => {
    while (compareKeys(ours[place], key) < 0) place += 1;
    const found = ours[place];
    if (found === undefined || compareOpaValues(found[0], key) !== 0) return false;
    return compareOpaValues(found[1], value) === 0 || isNestedPart(found[1], value);
  });
}

function compareKeys(member: OpaMember | undefined, key: OpaValue): number {
  return member === undefined ? 1 : compareOpaValues(member[0], key);
}

function isNestedPart(whole: OpaValue, part: OpaValue): boolean {
  return whole.kind === part.kind && isPart(whole, part) === true;
}

/** True where the elements stand in the array in a row. */
function isPartOfArray(whole: readonly OpaValue[], part: readonly OpaValue[]): boolean {
  let [start, matched] = [0, 0];
  while (matched < part.length) {
    const [ours, theirs] = [whole[start + matched], part[matched]];
    if (ours === undefined || theirs === undefined) return false;
    if (compareOpaValues(ours, theirs) === 0) {
      matched += 1;
    } else {
      start += 1;
      matched = 0;
    }
  }
  return true;
}

function hasAll(whole: readonly OpaValue[], part: readonly OpaValue[]): boolean {
  const ours = sortedItems(whole);
  let place = 0;
  return sortedItems(part).every((item) => {
    while (compareItem(ours[place], item) < 0) place += 1;
    return ours[place] !== undefined && compareItem(ours[place], item) === 0;
  });
}

function compareItem(found: OpaValue | undefined, item: OpaValue): number {
  return found === undefined ? 1 : compareOpaValues(found, item);
}

/**
 * OPA counts the elements that are members of the set until there were as many as it has. An element
 * that stands in the array twice counts twice, and an empty array has not even an empty set.
 */
function arrayHasAll(whole: readonly OpaValue[], part: readonly OpaValue[]): boolean {
  const members = new Set(part.map(canonicalText));
  let missing = part.length;
  return whole.some((item) => {
    if (members.has(canonicalText(item))) missing -= 1;
    return missing === 0;
  });
}

export const subsetBuiltins: BuiltinGroup = { "object.subset": subset };
