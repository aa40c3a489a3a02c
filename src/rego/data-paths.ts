/**
 * Paths in `data` as the roots of a manifest write them: `lib/text`, without leading `/`.
 */
import type { Json } from "../contract/json.ts";
import { isJsonObject } from "../contract/json.ts";

/** Where the values of a document are; an empty object is one too. */
export function leavesOf(value: Json, path: readonly string[] = []): readonly string[] {
  if (!isJsonObject(value) || Object.keys(value).length === 0) {
    return path.length === 0 ? [] : [path.join("/")];
  }
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

/** True where one of two paths is the other, or below it. */
export function overlap(left: string, right: string): boolean {
  return isBelow(left, right) || isBelow(right, left);
}

/** The same path, or one further down. */
export function isBelow(path: string, root: string): boolean {
  return `${path}/`.startsWith(`${root}/`);
}
