/**
 * Trees of gqlparser's structures in JSON, as OPA shows them.
 */

export type TreeValue = null | string | number | boolean | Tree | readonly TreeValue[];

export interface Tree {
  readonly [field: string]: TreeValue;
}

/** The fields that are there: OPA leaves out what is null and what is empty. */
export function treeOf(fields: Tree): Tree {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => isThere(value)));
}

function isThere(value: TreeValue): boolean {
  if (value === null) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
