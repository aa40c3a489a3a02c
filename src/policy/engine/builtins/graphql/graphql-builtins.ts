/**
 * `graphql.*`: queries and schemas parsed and validated by the reference implementation, with OPA's
 * answers. A query or schema is text, or the JSON that `parse_query` and `parse_schema` answer.
 */
import { Kind, validate } from "graphql";
import type { DocumentNode } from "graphql";
import type { OpaValue } from "../../opa-value.ts";
import type { Builtin, BuiltinGroup } from "../builtin.ts";
import { undefinedOnError } from "../crypto/undefined-on-error.ts";
import { ofTexts } from "../operands.ts";
import { makeSchema, parseDocument } from "./make-schema.ts";
import { readQueryTree } from "./read-query-tree.ts";
import { readSchemaTree } from "./read-schema-tree.ts";
import { fieldsOf } from "./tree-fields.ts";
import type { Tree } from "./tree.ts";
import { queryTree } from "./write-query-tree.ts";
import { schemaTree } from "./write-schema-tree.ts";

const parseQuery = ofTexts((text: string) => treeText(queryTree(parseQueryText(text))));

const parseSchema = ofTexts((text: string) => treeText(schemaTree(parseSchemaText(text))));

const parseBoth: Builtin = ([query, schema]) => {
  const { queryDocument, schemaDocument } = validated(query, schema);
  return `[${treeText(queryTree(queryDocument))},${treeText(schemaTree(schemaDocument))}]`;
};

const isValid: Builtin = ([query, schema]) => {
  validated(query, schema);
  return "true";
};

const isSchemaValid: Builtin = ([schema]) => {
  makeSchema(readSchema(schema));
  return "true";
};

export const graphqlBuiltins: BuiltinGroup = {
  "graphql.is_valid": otherwise("false", isValid),
  "graphql.parse": undefinedOnError(parseBoth),
  "graphql.parse_and_verify": otherwise("[false,{},{}]", (operands, context) =>
    parseBoth(operands, context)?.replace("[", "[true,"),
  ),
  "graphql.parse_query": undefinedOnError(parseQuery),
  "graphql.parse_schema": undefinedOnError(parseSchema),
  "graphql.schema_is_valid": otherwise("false", isSchemaValid),
};

/** A builtin that answers the same whatever is wrong. */
function otherwise(answer: string, builtin: Builtin): Builtin {
  const caught = undefinedOnError(builtin);
  return (operands, context) => caught(operands, context) ?? answer;
}

/** @throws For a query that is not valid, and for a schema that is none. */
function validated(query: OpaValue | undefined, schema: OpaValue | undefined) {
  const queryDocument = readQuery(query);
  const schemaDocument = readSchema(schema);
  const madeSchema = makeSchema(schemaDocument);
  const [fault] = validate(madeSchema, queryDocument, undefined, { maxErrors: 1 });
  if (fault !== undefined) throw fault;
  // The reference implementation leaves this to the execution.
  const isRootThere = queryDocument.definitions.every(
    (node) =>
      node.kind !== Kind.OPERATION_DEFINITION ||
      madeSchema.getRootType(node.operation) !== undefined,
  );
  if (!isRootThere) throw new Error("expected operations of the schema's, found another");
  return { queryDocument, schemaDocument };
}

function readQuery(query: OpaValue | undefined): DocumentNode {
  if (query?.kind === "string") return parseQueryText(query.value);
  return readQueryTree(fieldsOf(query ?? { kind: "null", text: "null" }));
}

function readSchema(schema: OpaValue | undefined): DocumentNode {
  if (schema?.kind === "string") return parseSchemaText(schema.value);
  return readSchemaTree(fieldsOf(schema ?? { kind: "null", text: "null" }));
}

/** Only operations and fragments make a query. */
function parseQueryText(text: string): DocumentNode {
  const document = parseDocument(text);
  const isQuery = document.definitions.every(
    ({ kind }) => kind === Kind.OPERATION_DEFINITION || kind === Kind.FRAGMENT_DEFINITION,
  );
  if (!isQuery) throw new Error("expected a query, found a schema");
  return document;
}

/** Only what describes types makes a schema. */
function parseSchemaText(text: string): DocumentNode {
  const document = parseDocument(text);
  const isSchema = document.definitions.every(
    ({ kind }) => kind !== Kind.OPERATION_DEFINITION && kind !== Kind.FRAGMENT_DEFINITION,
  );
  if (!isSchema) throw new Error("expected a schema, found a query");
  return document;
}

/** JSON text; half a character in a string becomes U+FFFD. */
function treeText(tree: Tree): string {
  return JSON.stringify(tree, (_name, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value,
  );
}
