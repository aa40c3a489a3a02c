/**
 * Changes to a part of a value, for JSON Patch. A path leads through objects by key, through arrays
 * by index, and through sets by the member itself. Undefined where a path leads nowhere.
 */
import type { OpaMember, OpaValue } from "../opa-value.ts";
import { compareOpaValues } from "./compare-opa-values.ts";

export type Path = readonly OpaValue[];

/** What becomes of the part that a path's last step leads to. */
type Change = (parent: OpaValue, key: OpaValue) => OpaValue | undefined;

/** A pointer of RFC 6901, with or without its first slash, or a list of keys. */
export function readPath(path: OpaValue | undefined): Path | undefined {
  if (path?.kind === "array") return path.items;
  if (path?.kind !== "string") return undefined;
  if (path.value === "") return [];
  const steps = path.value.replace(/^\/+/, "").split("/");
  return steps.map((step) => ({
    kind: "string",
    value: step.replaceAll("~1", "/").replaceAll("~0", "~"),
  }));
}

/** The part that a path leads to. */
export function findAt(value: OpaValue | undefined, path: Path): OpaValue | undefined {
  let found = value;
  for (const key of path) found = found && childOf(found, key);
  return found;
}

/** The value with a part added: before an array's element, in place of an object's member. */
export function addAt(
  value: OpaValue | undefined,
  path: Path,
  part: OpaValue | undefined,
): OpaValue | undefined {
  if (part === undefined || path.length === 0) return part;
  return changeAt(value, path, (parent, key) => add(parent, key, part));
}

/** The value without a part; undefined also for the path of the whole value. */
export function removeAt(value: OpaValue | undefined, path: Path): OpaValue | undefined {
  return changeAt(value, path, remove);
}

const sizes = new WeakMap<OpaValue, number>();

/** Characters of a value, about; a part that stands in it twice counts twice. */
export function sizeOf(value: OpaValue): number {
  const known = sizes.get(value);
  if (known !== undefined) return known;
  const size = 1 + measure(value);
  sizes.set(value, size);
  return size;
}

function measure(value: OpaValue): number {
  switch (value.kind) {
    case "null":
    case "boolean":
    case "number":
      return value.text.length;
    case "string":
      return value.value.length;
    case "array":
    case "set":
      return value.items.reduce((sum, item) => sum + sizeOf(item), 0);
    case "object":
      return value.members.reduce((sum, [key, member]) => sum + sizeOf(key) + sizeOf(member), 0);
  }
}

function changeAt(value: OpaValue | undefined, path: Path, change: Change): OpaValue | undefined {
  const [key, ...rest] = path;
  if (value === undefined || key === undefined) return undefined;
  if (rest.length === 0) return change(value, key);
  const child = changeAt(childOf(value, key), rest, change);
  return child && replace(value, key, child);
}

function childOf(value: OpaValue, key: OpaValue): OpaValue | undefined {
  switch (value.kind) {
    case "object":
      return value.members.find(isUnder(key))?.[1];
    case "set":
      return value.items.find(isEqualTo(key));
    case "array":
      return value.items[indexOf(value.items, key)];
    case "null":
    case "boolean":
    case "number":
    case "string":
      return undefined;
  }
}

function replace(parent: OpaValue, key: OpaValue, child: OpaValue): OpaValue | undefined {
  switch (parent.kind) {
    case "object":
      return add(parent, key, child);
    case "set": {
      const others = parent.items.filter((item) => !isEqualTo(key)(item));
      return add({ kind: "set", items: others }, child, child);
    }
    case "array":
      return { kind: "array", items: parent.items.with(indexOf(parent.items, key), child) };
    case "null":
    case "boolean":
    case "number":
    case "string":
      return undefined;
  }
}

function add(parent: OpaValue, key: OpaValue, part: OpaValue): OpaValue | undefined {
  switch (parent.kind) {
    case "object": {
      const others = parent.members.filter((member) => !isUnder(key)(member));
      return { kind: "object", members: [...others, [key, part]] };
    }
    case "set": {
      if (!isEqualTo(key)(part)) return undefined;
      if (parent.items.some(isEqualTo(part))) return parent;
      return { kind: "set", items: [...parent.items, part] };
    }
    case "array": {
      const index = indexOf(parent.items, key);
      if (index < 0 || index > parent.items.length) return undefined;
      return { kind: "array", items: parent.items.toSpliced(index, 0, part) };
    }
    case "null":
    case "boolean":
    case "number":
    case "string":
      return undefined;
  }
}

function remove(parent: OpaValue, key: OpaValue): OpaValue | undefined {
  if (childOf(parent, key) === undefined) return undefined;
  if (parent.kind === "object") {
    return { kind: "object", members: parent.members.filter((member) => !isUnder(key)(member)) };
  }
  if (parent.kind === "set") {
    return { kind: "set", items: parent.items.filter((item) => !isEqualTo(key)(item)) };
  }
  if (parent.kind !== "array") return undefined;
  return { kind: "array", items: parent.items.toSpliced(indexOf(parent.items, key), 1) };
}

/** `-` is behind the last element; -1 for what is no index. */
function indexOf(items: readonly OpaValue[], key: OpaValue): number {
  const text = key.kind === "number" ? key.text : key.kind === "string" ? key.value : "";
  if (text === "-") return key.kind === "string" ? items.length : -1;
  return /^(?:0|[1-9]\d{0,14}(?:\.0*)?)$/.test(text) ? Number(text) : -1;
}

function isUnder(key: OpaValue): (member: OpaMember) => boolean {
  return ([name]) => compareOpaValues(name, key) === 0;
}

function isEqualTo(key: OpaValue): (item: OpaValue) => boolean {
  return (item) => compareOpaValues(item, key) === 0;
}
