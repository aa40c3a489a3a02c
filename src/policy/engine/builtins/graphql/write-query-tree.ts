/**
 * Parsed queries as the JSON that OPA answers: the fields of gqlparser's Go structures, without
 * positions, and without what is null or empty. Comments are left out.
 */
import { Kind } from "graphql";
import type {
  ArgumentNode,
  DirectiveNode,
  DocumentNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
  TypeNode,
  ValueNode,
  VariableDefinitionNode,
} from "graphql";
import { treeOf } from "./tree.ts";
import type { Tree } from "./tree.ts";

/** Numbers of gqlparser's `ValueKind`. */
export const valueKinds = {
  variable: 0,
  int: 1,
  float: 2,
  string: 3,
  block: 4,
  boolean: 5,
  null: 6,
  enum: 7,
  list: 8,
  object: 9,
} as const;

/** A document of operations and fragments. */
export function queryTree({ definitions }: DocumentNode): Tree {
  return treeOf({
    Operations: definitions.flatMap((node) =>
      node.kind === Kind.OPERATION_DEFINITION ? [operationTree(node)] : [],
    ),
    Fragments: definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [fragmentTree(node)] : [],
    ),
  });
}

export function directiveTrees(nodes: readonly DirectiveNode[] | undefined): readonly Tree[] {
  return (nodes ?? []).map(({ name, arguments: given }) =>
    treeOf({ Name: name.value, Arguments: argumentTrees(given), Location: "" }),
  );
}

export function typeTree(node: TypeNode): Tree {
  if (node.kind === Kind.NON_NULL_TYPE) return { ...typeTree(node.type), NonNull: true };
  if (node.kind === Kind.NAMED_TYPE) return { NamedType: node.name.value, NonNull: false };
  return { NamedType: "", Elem: typeTree(node.type), NonNull: false };
}

export function valueTree(node: ValueNode): Tree {
  const known = { ExpectedTypeHasDefault: false };
  const plain = (kind: keyof typeof valueKinds, raw: string): Tree => ({
    ...known,
    Kind: valueKinds[kind],
    Raw: raw,
  });
  switch (node.kind) {
    case Kind.VARIABLE:
      return plain("variable", node.name.value);
    case Kind.INT:
      return plain("int", node.value);
    case Kind.FLOAT:
      return plain("float", node.value);
    case Kind.STRING:
      return plain(node.block === true ? "block" : "string", node.value);
    case Kind.BOOLEAN:
      return plain("boolean", String(node.value));
    case Kind.NULL:
      return plain("null", "null");
    case Kind.ENUM:
      return plain("enum", node.value);
    case Kind.LIST: {
      const children = node.values.map((value) => ({ Name: "", Value: valueTree(value) }));
      return treeOf({ ...plain("list", ""), Children: children });
    }
    case Kind.OBJECT: {
      const children = node.fields.map(({ name, value }) => ({
        Name: name.value,
        Value: valueTree(value),
      }));
      return treeOf({ ...plain("object", ""), Children: children });
    }
  }
}

function operationTree(node: OperationDefinitionNode): Tree {
  return treeOf({
    Operation: node.operation,
    Name: node.name?.value ?? "",
    VariableDefinitions: variableTrees(node.variableDefinitions),
    Directives: directiveTrees(node.directives),
    SelectionSet: selectionTrees(node.selectionSet),
  });
}

function fragmentTree(node: FragmentDefinitionNode): Tree {
  return treeOf({
    Name: node.name.value,
    VariableDefinition: variableTrees(node.variableDefinitions),
    TypeCondition: node.typeCondition.name.value,
    Directives: directiveTrees(node.directives),
    SelectionSet: selectionTrees(node.selectionSet),
  });
}

function variableTrees(nodes: readonly VariableDefinitionNode[] | undefined): readonly Tree[] {
  return (nodes ?? []).map((node) =>
    treeOf({
      Variable: node.variable.name.value,
      Type: typeTree(node.type),
      DefaultValue: node.defaultValue === undefined ? null : valueTree(node.defaultValue),
      Directives: directiveTrees(node.directives),
      Used: false,
    }),
  );
}

function selectionTrees(set: SelectionSetNode | undefined): readonly Tree[] {
  return (set?.selections ?? []).map(selectionTree);
}

function selectionTree(node: SelectionNode): Tree {
  const directives = directiveTrees(node.directives);
  switch (node.kind) {
    case Kind.FIELD:
      return treeOf({
        Alias: node.alias?.value ?? node.name.value,
        Name: node.name.value,
        Arguments: argumentTrees(node.arguments),
        Directives: directives,
        SelectionSet: selectionTrees(node.selectionSet),
      });
    case Kind.FRAGMENT_SPREAD:
      return treeOf({ Name: node.name.value, Directives: directives });
    case Kind.INLINE_FRAGMENT:
      return treeOf({
        TypeCondition: node.typeCondition?.name.value ?? "",
        Directives: directives,
        SelectionSet: selectionTrees(node.selectionSet),
      });
  }
}

function argumentTrees(nodes: readonly ArgumentNode[] | undefined): readonly Tree[] {
  return (nodes ?? []).map(({ name, value }) => ({ Name: name.value, Value: valueTree(value) }));
}
