/**
 * Keywords about arrays.
 */
import type { OpaValue } from "../../opa-value.ts";
import { plainText } from "./plain-text.ts";
import { checkMember, fail, failuresOf } from "./schema-check.ts";
import type { Check, Visit } from "./schema-check.ts";
import type { Keyword } from "./schema-subject.ts";
import { booleanIn, countIn, schemaIn } from "./schema-subject.ts";

export const items: Keyword = (value, { compile }, name) => {
  if (value.kind !== "array") {
    const node = compile(schemaIn(value, name));
    return onList((list, visit) => {
      for (const [index, item] of list.entries()) checkMember(node, item, index, visit);
    });
  }
  const nodes = value.items.map((each) => compile(schemaIn(each, name)));
  return onList((list, visit) => {
    for (const [index, node] of nodes.entries()) {
      const item = list[index];
      if (item !== undefined) checkMember(node, item, index, visit);
    }
  });
};

/** Counts only behind a list of schemas in `items`. */
export const additionalItems: Keyword = (value, { compile, get }, name) => {
  const first = get("items");
  const node = compile(schemaIn(value, name));
  if (first?.kind !== "array" || first.items.length === 0) return undefined;
  const start = first.items.length;
  return onList((list, visit) => {
    if (value.kind === "boolean") {
      if (value.text === "false" && list.length > start) {
        fail(visit, "array_no_additional_items", "No additional items allowed on array");
      }
      return;
    }
    for (const [index, item] of list.slice(start).entries()) {
      checkMember(node, item, start + index, visit);
    }
  });
};

export const minItems: Keyword = (value, _, name) => {
  const least = countIn(value, name);
  return onList((list, visit) => {
    if (list.length >= least) return;
    fail(visit, "array_min_items", `Array must have at least ${least} items`);
  });
};

export const maxItems: Keyword = (value, _, name) => {
  const most = countIn(value, name);
  return onList((list, visit) => {
    if (list.length <= most) return;
    fail(visit, "array_max_items", `Array must have at most ${most} items`);
  });
};

export const uniqueItems: Keyword = (value, _, name) => {
  if (!booleanIn(value, name)) return undefined;
  return onList((list, visit) => {
    const places = new Map<string, number>();
    for (const [index, item] of list.entries()) {
      const text = plainText(item);
      const before = places.get(text);
      if (before !== undefined) {
        fail(visit, "unique", `array items[${before},${index}] must be unique`);
      }
      places.set(text, index);
    }
  });
};

export const contains: Keyword = (value, { compile }, name) => {
  const node = compile(schemaIn(value, name));
  return onList((list, visit) => {
    if (list.some((item) => failuresOf(node, item, visit).length === 0)) return;
    fail(visit, "contains", "At least one of the items must match");
  });
};

function onList(check: (list: readonly OpaValue[], visit: Visit) => void): Check {
  return (instance, visit) => {
    if (instance.kind === "array") check(instance.items, visit);
  };
}
