/**
 * Parsed schemas as the JSON that OPA answers, in the fields of gqlparser's Go structures.
 */
import { isTypeDefinitionNode, isTypeExtensionNode, Kind } from "graphql";
import type {
  DefinitionNode,
  DocumentNode,
  EnumValueDefinitionNode,
  FieldDefinitionNode,
  InputValueDefinitionNode,
  SchemaDefinitionNode,
  SchemaExtensionNode,
  StringValueNode,
  TypeDefinitionNode,
  TypeExtensionNode,
} from "graphql";
import { treeOf } from "./tree.ts";
import type { Tree } from "./tree.ts";
import { directiveTrees, typeTree, valueTree } from "./write-query-tree.ts";

/** gqlparser's names of kinds. */
const kinds: Readonly<Record<string, string>> = {
  ScalarType: "SCALAR",
  ObjectType: "OBJECT",
  InterfaceType: "INTERFACE",
  UnionType: "UNION",
  EnumType: "ENUM",
  InputObjectType: "INPUT_OBJECT",
};

type TypeNode = TypeDefinitionNode | TypeExtensionNode;

/** A document of definitions and extensions. */
export function schemaTree({ definitions }: DocumentNode): Tree {
  return treeOf({
    Schema: definitions.flatMap((node) =>
      node.kind === Kind.SCHEMA_DEFINITION ? [rootTree(node)] : [],
    ),
    SchemaExtension: definitions.flatMap((node) =>
      node.kind === Kind.SCHEMA_EXTENSION ? [rootTree(node)] : [],
    ),
    Directives: definitions.flatMap(directiveDefinitionTrees),
    Definitions: definitions.flatMap((node) =>
      isTypeDefinitionNode(node) ? [definitionTree(node)] : [],
    ),
    Extensions: definitions.flatMap((node) =>
      isTypeExtensionNode(node) ? [definitionTree(node)] : [],
    ),
  });
}

function rootTree(node: SchemaDefinitionNode | SchemaExtensionNode): Tree {
  const types = (node.operationTypes ?? []).map(({ operation, type }) => ({
    Operation: operation,
    Type: type.name.value,
  }));
  return treeOf({
    Description: "description" in node ? describe(node.description) : "",
    Directives: directiveTrees(node.directives),
    OperationTypes: types,
  });
}

function directiveDefinitionTrees(node: DefinitionNode): readonly Tree[] {
  if (node.kind !== Kind.DIRECTIVE_DEFINITION) return [];
  const tree = treeOf({
    Description: describe(node.description),
    Name: node.name.value,
    Arguments: (node.arguments ?? []).map(inputTree),
    Locations: node.locations.map(({ value }) => value),
    IsRepeatable: node.repeatable,
  });
  return [tree];
}

function definitionTree(node: TypeNode): Tree {
  return treeOf({
    Kind: kinds[node.kind.replace(/(?:Definition|Extension)$/, "")] ?? "",
    Description: "description" in node ? describe(node.description) : "",
    Name: node.name.value,
    Directives: directiveTrees(node.directives),
    Interfaces: "interfaces" in node ? (node.interfaces ?? []).map(({ name }) => name.value) : [],
    Fields: "fields" in node ? (node.fields ?? []).map(memberTree) : [],
    Types: "types" in node ? (node.types ?? []).map(({ name }) => name.value) : [],
    EnumValues: "values" in node ? (node.values ?? []).map(enumValueTree) : [],
    BuiltIn: false,
  });
}

function memberTree(node: FieldDefinitionNode | InputValueDefinitionNode): Tree {
  if (node.kind === Kind.INPUT_VALUE_DEFINITION) return inputTree(node);
  return treeOf({
    Description: describe(node.description),
    Name: node.name.value,
    Arguments: (node.arguments ?? []).map(inputTree),
    Type: typeTree(node.type),
    Directives: directiveTrees(node.directives),
  });
}

function inputTree(node: InputValueDefinitionNode): Tree {
  return treeOf({
    Description: describe(node.description),
    Name: node.name.value,
    DefaultValue: node.defaultValue === undefined ? null : valueTree(node.defaultValue),
    Type: typeTree(node.type),
    Directives: directiveTrees(node.directives),
  });
}

function enumValueTree(node: EnumValueDefinitionNode): Tree {
  return treeOf({
    Description: describe(node.description),
    Name: node.name.value,
    Directives: directiveTrees(node.directives),
  });
}

function describe(node: StringValueNode | undefined): string {
  return node?.value ?? "";
}
