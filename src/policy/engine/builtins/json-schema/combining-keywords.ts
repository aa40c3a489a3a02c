/**
 * Keywords that combine schemas.
 */
import type { OpaValue } from "../../opa-value.ts";
import { checkAll, fail, failuresOf, isValid } from "./schema-check.ts";
import type { Failure, SchemaNode, Visit } from "./schema-check.ts";
import type { Keyword, Subject } from "./schema-subject.ts";
import { listIn, schemaIn } from "./schema-subject.ts";

export const allOf: Keyword = (value, subject, name) => {
  const nodes = compileAll(value, subject, name);
  return (instance, visit) => {
    const before = visit.failures.length;
    for (const node of nodes) checkAll(node, instance, visit);
    if (visit.failures.length > before) {
      fail(visit, "number_all_of", "Must validate all the schemas (allOf)");
    }
  };
};

export const anyOf: Keyword = (value, subject, name) => {
  const nodes = compileAll(value, subject, name);
  if (nodes.length === 0) return undefined;
  return (instance, visit) => {
    if (nodes.some((node) => isValid(node, instance, visit))) return;
    fail(visit, "number_any_of", "Must validate at least one schema (anyOf)");
    visit.failures.push(...nearest(nodes, instance, visit));
  };
};

export const oneOf: Keyword = (value, subject, name) => {
  const nodes = compileAll(value, subject, name);
  if (nodes.length === 0) return undefined;
  return (instance, visit) => {
    const valid = nodes.filter((node) => isValid(node, instance, visit)).length;
    if (valid === 1) return;
    fail(visit, "number_one_of", "Must validate one and only one schema (oneOf)");
    if (valid === 0) visit.failures.push(...nearest(nodes, instance, visit));
  };
};

export const not: Keyword = (value, { compile }, name) => {
  const node = compile(schemaIn(value, name));
  return (instance, visit) => {
    if (!isValid(node, instance, visit)) return;
    fail(visit, "number_not", "Must not validate the schema (not)");
  };
};

/** `if`, with `then` and `else` beside it. */
export const condition: Keyword = (value, { compile, get }, name) => {
  const asked = compile(schemaIn(value, name));
  const [yes, no] = ["then", "else"].map((branch) => {
    const schema = get(branch);
    return schema && compile(schemaIn(schema, branch));
  });
  return (instance, visit) => {
    const isTrue = isValid(asked, instance, visit);
    const [node, branch] = isTrue ? [yes, "then"] : [no, "else"];
    const failures = node === undefined ? [] : failuresOf(node, instance, visit);
    if (failures.length === 0) return;
    const words = `Must validate "${branch}" as "if" was ${isTrue ? "" : "not "}valid`;
    fail(visit, `condition_${branch}`, words);
    visit.failures.push(...failures);
  };
};

function compileAll(value: OpaValue, { compile }: Subject, name: string): readonly SchemaNode[] {
  return listIn(value, name).map((schema) => compile(schemaIn(schema, name)));
}

/** The schema that was probably meant: the one with the fewest failures. */
function nearest(
  nodes: readonly SchemaNode[],
  instance: OpaValue,
  visit: Visit,
): readonly Failure[] {
  const all = nodes.map((node) => failuresOf(node, instance, visit));
  return all.toSorted((left, right) => left.length - right.length)[0] ?? [];
}
