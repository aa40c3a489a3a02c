/**
 * From the JSON of a parsed schema back to what the validation reads.
 */
import { Kind } from "graphql";
import type {
  DirectiveDefinitionNode,
  DocumentNode,
  EnumValueDefinitionNode,
  FieldDefinitionNode,
  InputValueDefinitionNode,
  OperationTypeDefinitionNode,
  TypeSystemDefinitionNode,
  TypeSystemExtensionNode,
} from "graphql";
import {
  namedType,
  nameNode,
  readConstDirectives,
  readConstValue,
  readOperationType,
  readType,
} from "./read-query-tree.ts";
import type { TreeFields } from "./tree-fields.ts";

/** Reads a tree of definitions and extensions. */
export function readSchemaTree(tree: TreeFields): DocumentNode {
  return {
    kind: Kind.DOCUMENT,
    definitions: [
      ...tree.many("Schema").map((root): TypeSystemDefinitionNode => {
        const operationTypes = readRoots(root);
        return { kind: Kind.SCHEMA_DEFINITION, operationTypes, directives: directives(root) };
      }),
      ...tree.many("SchemaExtension").map((root): TypeSystemExtensionNode => {
        const operationTypes = readRoots(root);
        return { kind: Kind.SCHEMA_EXTENSION, operationTypes, directives: directives(root) };
      }),
      ...tree.many("Directives").map(readDirectiveDefinition),
      ...tree.many("Definitions").map(readDefinition),
      ...tree.many("Extensions").map(readExtension),
    ],
  };
}

function readRoots(tree: TreeFields): readonly OperationTypeDefinitionNode[] {
  return tree.many("OperationTypes").map((root) => ({
    kind: Kind.OPERATION_TYPE_DEFINITION,
    operation: readOperationType(root.text("Operation")),
    type: namedType(root.text("Type")),
  }));
}

function readDirectiveDefinition(tree: TreeFields): DirectiveDefinitionNode {
  return {
    kind: Kind.DIRECTIVE_DEFINITION,
    name: nameNode(tree.text("Name")),
    arguments: tree.many("Arguments").map(readInput),
    repeatable: tree.flag("IsRepeatable"),
    locations: tree.texts("Locations").map(nameNode),
  };
}

/** What every kind of definition has, and each kind takes its part of. */
function partsOf(tree: TreeFields) {
  return {
    name: nameNode(tree.text("Name")),
    directives: directives(tree),
    interfaces: tree.texts("Interfaces").map(namedType),
    types: tree.texts("Types").map(namedType),
    values: tree.many("EnumValues").map(readEnumValue),
  };
}

function readDefinition(tree: TreeFields): TypeSystemDefinitionNode {
  const { interfaces, types, values, ...common } = partsOf(tree);
  switch (tree.text("Kind")) {
    case "SCALAR":
      return { kind: Kind.SCALAR_TYPE_DEFINITION, ...common };
    case "OBJECT":
      return { kind: Kind.OBJECT_TYPE_DEFINITION, ...common, interfaces, fields: fields(tree) };
    case "INTERFACE":
      return { kind: Kind.INTERFACE_TYPE_DEFINITION, ...common, interfaces, fields: fields(tree) };
    case "UNION":
      return { kind: Kind.UNION_TYPE_DEFINITION, ...common, types };
    case "ENUM":
      return { kind: Kind.ENUM_TYPE_DEFINITION, ...common, values };
    case "INPUT_OBJECT":
      return { kind: Kind.INPUT_OBJECT_TYPE_DEFINITION, ...common, fields: inputs(tree) };
    default:
      throw new Error("expected a kind of type, found another word");
  }
}

function readExtension(tree: TreeFields): TypeSystemExtensionNode {
  const { interfaces, types, values, ...common } = partsOf(tree);
  switch (tree.text("Kind")) {
    case "SCALAR":
      return { kind: Kind.SCALAR_TYPE_EXTENSION, ...common };
    case "OBJECT":
      return { kind: Kind.OBJECT_TYPE_EXTENSION, ...common, interfaces, fields: fields(tree) };
    case "INTERFACE":
      return { kind: Kind.INTERFACE_TYPE_EXTENSION, ...common, interfaces, fields: fields(tree) };
    case "UNION":
      return { kind: Kind.UNION_TYPE_EXTENSION, ...common, types };
    case "ENUM":
      return { kind: Kind.ENUM_TYPE_EXTENSION, ...common, values };
    case "INPUT_OBJECT":
      return { kind: Kind.INPUT_OBJECT_TYPE_EXTENSION, ...common, fields: inputs(tree) };
    default:
      throw new Error("expected a kind of type, found another word");
  }
}

function fields(tree: TreeFields): readonly FieldDefinitionNode[] {
  return tree.many("Fields").map((field) => ({
    kind: Kind.FIELD_DEFINITION,
    name: nameNode(field.text("Name")),
    arguments: field.many("Arguments").map(readInput),
    type: readType(field.one("Type")),
    directives: directives(field),
  }));
}

function inputs(tree: TreeFields): readonly InputValueDefinitionNode[] {
  return tree.many("Fields").map(readInput);
}

function readInput(tree: TreeFields): InputValueDefinitionNode {
  const standard = tree.one("DefaultValue");
  return {
    kind: Kind.INPUT_VALUE_DEFINITION,
    name: nameNode(tree.text("Name")),
    type: readType(tree.one("Type")),
    ...(standard === undefined ? {} : { defaultValue: readConstValue(standard) }),
    directives: directives(tree),
  };
}

function readEnumValue(tree: TreeFields): EnumValueDefinitionNode {
  return {
    kind: Kind.ENUM_VALUE_DEFINITION,
    name: nameNode(tree.text("Name")),
    directives: directives(tree),
  };
}

function directives(tree: TreeFields) {
  return readConstDirectives(tree.many("Directives"));
}
