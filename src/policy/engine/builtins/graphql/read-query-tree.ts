/**
 * From the JSON of a parsed query back to what the validation reads. As OPA's own reader does, every
 * selection is taken for a field: a tree with a fragment in it is read, and never valid.
 */
import { Kind, OperationTypeNode } from "graphql";
import type {
  ArgumentNode,
  ConstArgumentNode,
  ConstDirectiveNode,
  ConstValueNode,
  DirectiveNode,
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  NamedTypeNode,
  NameNode,
  OperationDefinitionNode,
  SelectionSetNode,
  TypeNode,
  ValueNode,
  VariableDefinitionNode,
} from "graphql";
import type { TreeFields } from "./tree-fields.ts";

const operationTypes: ReadonlyMap<string, OperationTypeNode> = new Map([
  ["query", OperationTypeNode.QUERY],
  ["mutation", OperationTypeNode.MUTATION],
  ["subscription", OperationTypeNode.SUBSCRIPTION],
]);

/** Reads a tree of operations and fragments. */
export function readQueryTree(tree: TreeFields): DocumentNode {
  return {
    kind: Kind.DOCUMENT,
    definitions: [
      ...tree.many("Operations").map(readOperation),
      ...tree.many("Fragments").map(readFragment),
    ],
  };
}

export function nameNode(value: string): NameNode {
  return { kind: Kind.NAME, value };
}

export function namedType(name: string): NamedTypeNode {
  return { kind: Kind.NAMED_TYPE, name: nameNode(name) };
}

export function readOperationType(name: string): OperationTypeNode {
  const type = operationTypes.get(name);
  if (type === undefined) throw new Error("expected query, mutation or subscription");
  return type;
}

/** A type that a structure has to have. */
export function readType(tree: TreeFields | undefined): TypeNode {
  if (tree === undefined) throw new Error("expected a type, found none");
  const element = tree.one("Elem");
  const type =
    element === undefined || tree.text("NamedType") !== ""
      ? namedType(tree.text("NamedType"))
      : ({ kind: Kind.LIST_TYPE, type: readType(element) } as const);
  return tree.flag("NonNull") ? { kind: Kind.NON_NULL_TYPE, type } : type;
}

/** Directives whose arguments may hold no variables. */
export function readConstDirectives(trees: readonly TreeFields[]): readonly ConstDirectiveNode[] {
  return trees.map((tree) => ({
    kind: Kind.DIRECTIVE,
    name: nameNode(tree.text("Name")),
    arguments: tree.many("Arguments").map((given): ConstArgumentNode => ({
      kind: Kind.ARGUMENT,
      name: nameNode(given.text("Name")),
      value: readConstValue(given.one("Value")),
    })),
  }));
}

/** A value without variables. */
export function readConstValue(tree: TreeFields | undefined): ConstValueNode {
  if (tree === undefined) throw new Error("expected a value, found none");
  const [kind, raw, children] = [tree.number("Kind"), tree.text("Raw"), tree.many("Children")];
  switch (kind) {
    case 1:
      return { kind: Kind.INT, value: raw };
    case 2:
      return { kind: Kind.FLOAT, value: raw };
    case 3:
    case 4:
      return { kind: Kind.STRING, value: raw, block: kind === 4 };
    case 5:
      return { kind: Kind.BOOLEAN, value: raw === "true" };
    case 6:
      return { kind: Kind.NULL };
    case 7:
      return { kind: Kind.ENUM, value: raw };
    case 8:
      return {
        kind: Kind.LIST,
        values: children.map((child) => readConstValue(child.one("Value"))),
      };
    case 9:
      return {
        kind: Kind.OBJECT,
        fields: children.map((child) => ({
          kind: Kind.OBJECT_FIELD,
          name: nameNode(child.text("Name")),
          value: readConstValue(child.one("Value")),
        })),
      };
    default:
      throw new Error("expected a value without variables, found another");
  }
}

function readOperation(tree: TreeFields): OperationDefinitionNode {
  const name = tree.text("Name");
  return {
    kind: Kind.OPERATION_DEFINITION,
    operation: readOperationType(tree.text("Operation")),
    ...(name === "" ? {} : { name: nameNode(name) }),
    variableDefinitions: tree.many("VariableDefinitions").map(readVariable),
    directives: readDirectives(tree),
    selectionSet: readSelections(tree),
  };
}

function readFragment(tree: TreeFields): FragmentDefinitionNode {
  return {
    kind: Kind.FRAGMENT_DEFINITION,
    name: nameNode(tree.text("Name")),
    variableDefinitions: tree.many("VariableDefinition").map(readVariable),
    typeCondition: namedType(tree.text("TypeCondition")),
    directives: readDirectives(tree),
    selectionSet: readSelections(tree),
  };
}

function readVariable(tree: TreeFields): VariableDefinitionNode {
  const standard = tree.one("DefaultValue");
  return {
    kind: Kind.VARIABLE_DEFINITION,
    variable: { kind: Kind.VARIABLE, name: nameNode(tree.text("Variable")) },
    type: readType(tree.one("Type")),
    ...(standard === undefined ? {} : { defaultValue: readConstValue(standard) }),
    directives: readConstDirectives(tree.many("Directives")),
  };
}

function readSelections(tree: TreeFields): SelectionSetNode {
  return { kind: Kind.SELECTION_SET, selections: tree.many("SelectionSet").map(readField) };
}

function readField(tree: TreeFields): FieldNode {
  const [alias, name] = [tree.text("Alias"), tree.text("Name")];
  const hasSelections = tree.many("SelectionSet").length > 0;
  return {
    kind: Kind.FIELD,
    ...(alias === "" || alias === name ? {} : { alias: nameNode(alias) }),
    name: nameNode(name),
    arguments: readArguments(tree),
    directives: readDirectives(tree),
    ...(hasSelections ? { selectionSet: readSelections(tree) } : {}),
  };
}

function readDirectives(tree: TreeFields): readonly DirectiveNode[] {
  return tree.many("Directives").map((directive) => ({
    kind: Kind.DIRECTIVE,
    name: nameNode(directive.text("Name")),
    arguments: readArguments(directive),
  }));
}

function readArguments(tree: TreeFields): readonly ArgumentNode[] {
  return tree.many("Arguments").map((given) => ({
    kind: Kind.ARGUMENT,
    name: nameNode(given.text("Name")),
    value: readValue(given.one("Value")),
  }));
}

function readValue(tree: TreeFields | undefined): ValueNode {
  switch (tree?.number("Kind")) {
    case 0:
      return { kind: Kind.VARIABLE, name: nameNode(tree.text("Raw")) };
    case 8:
      return {
        kind: Kind.LIST,
        values: tree.many("Children").map((child) => readValue(child.one("Value"))),
      };
    case 9:
      return {
        kind: Kind.OBJECT,
        fields: tree.many("Children").map((child) => ({
          kind: Kind.OBJECT_FIELD,
          name: nameNode(child.text("Name")),
          value: readValue(child.one("Value")),
        })),
      };
    default:
      return readConstValue(tree);
  }
}
