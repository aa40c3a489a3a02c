/**
 * Keywords that apply schemas to the same value: combinations, conditions, references.
 */
import { listOf, textOf, unusable } from "./schema-error.ts";
import type { Json } from "../../../contract/json.ts";
import type { Check, SchemaNode, Visit } from "./schema-node.ts";
import { evaluate, evaluateInPlace, fail, newSeen, silently } from "./schema-node.ts";
import type { Keyword, ReferenceTarget, SchemaSubject } from "./schema-subject.ts";

export const allOf: Keyword = (value, subject, keyword) => {
  const nodes = branchesOf(value, subject, keyword);
  return (instance, visit, seen) =>
    nodes.every((node) => evaluateInPlace(node, instance, visit, seen));
};

export const anyOf: Keyword = (value, subject, keyword) => {
  const nodes = branchesOf(value, subject, keyword);
  return (instance, visit, seen) => {
    const silent = silently(visit);
    let isValid = false;
    for (const node of nodes) {
      if (evaluateInPlace(node, instance, silent, seen)) isValid = true;
      // Others may have seen more, which matters only where somebody asks.
      if (isValid && seen === undefined) return true;
    }
    return isValid || fail(visit, keyword);
  };
};

export const oneOf: Keyword = (value, subject, keyword) => {
  const nodes = branchesOf(value, subject, keyword);
  return (instance, visit, seen) => {
    const silent = silently(visit);
    let count = 0;
    for (const node of nodes) {
      if (evaluateInPlace(node, instance, silent, seen)) count += 1;
      if (count > 1) break;
    }
    return count === 1 || fail(visit, keyword);
  };
};

export const not: Keyword = (value, { compile }, keyword) => {
  const node = compile(value);
  return (instance, visit) =>
    !evaluate(node, instance, silently(visit), newSeen(visit)) || fail(visit, keyword);
};

/** With `then` and `else` beside it. */
export const condition: Keyword = (value, { schema, compile }) => {
  const test = compile(value);
  const whereTrue = schema["then"] === undefined ? undefined : compile(schema["then"]);
  const whereFalse = schema["else"] === undefined ? undefined : compile(schema["else"]);
  return (instance, visit, seen) => {
    const isTrue = evaluateInPlace(test, instance, silently(visit), seen);
    const branch = isTrue ? whereTrue : whereFalse;
    return branch === undefined || evaluateInPlace(branch, instance, visit, seen);
  };
};

/** `then` and `else` are checked by `if`, and may be referred to where there is none. */
export const branch: Keyword = (value, { compile }) => {
  compile(value);
  return undefined;
};

export const reference: Keyword = (value, { refer }, keyword) => {
  const targetOf = refer(textOf(value, keyword));
  return (instance, visit, seen) => evaluateInPlace(targetOf().node, instance, visit, seen);
};

/** `$dynamicRef`, and `$recursiveRef`, which became it. */
export const dynamicReference: Keyword = (value, { refer }, keyword): Check => {
  const targetOf = refer(textOf(value, keyword));
  return (instance, visit, seen) =>
    evaluateInPlace(outermost(targetOf(), visit), instance, visit, seen);
};

/** The schema of a dynamic anchor in the outermost resource that evaluation came through. */
function outermost({ node, dynamicName }: ReferenceTarget, visit: Visit): SchemaNode {
  let found = node;
  if (dynamicName === undefined) return found;
  for (let { scope } = visit; ; scope = scope.outer) {
    found = scope.resource.dynamicAnchors.get(dynamicName) ?? found;
    if (scope.outer === undefined) return found;
  }
}

function branchesOf(
  value: Json,
  { compile }: SchemaSubject,
  keyword: string,
): readonly SchemaNode[] {
  const branches = listOf(value, keyword);
  if (branches.length === 0) throw unusable(`expected at least one schema in "${keyword}"`);
  return branches.map(compile);
}
