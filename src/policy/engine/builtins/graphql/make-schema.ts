/**
 * Judges schemas as gqlparser does with the reference implementation's rules. Where the two differ,
 * gqlparser's word counts: a schema needs no query type, an extension of a type that is not there
 * defines it, and `@defer` is known.
 */
import { buildASTSchema, isTypeDefinitionNode, Kind, parse, validateSchema } from "graphql";
import type { DefinitionNode, DocumentNode, GraphQLSchema } from "graphql";

const noQueryType = "Query root type must be provided.";
const nothing = /^(?:[\s,\ufeff]|#[^\n\r]*)*$/;
const defer = "defer";
/** Bytes of text and of a tree are bounded with the input; this bounds what is made of them. */
const maxTokens = 100_000;
const deferDefinition =
  "directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT";
/** Directives that a schema may define although they are there. */
const repeatedBuiltins: readonly string[] = [
  defer,
  "deprecated",
  "include",
  "oneOf",
  "skip",
  "specifiedBy",
];

/** Parses a query or schema. A text that says nothing is a document with nothing in it. */
export function parseDocument(text: string): DocumentNode {
  if (nothing.test(text)) return { kind: Kind.DOCUMENT, definitions: [] };
  return parse(text, { noLocation: true, maxTokens, allowLegacyFragmentVariables: true });
}

/**
 * Makes a schema that queries can be validated with.
 *
 * @throws For a schema that is not valid.
 */
export function makeSchema({ definitions }: DocumentNode): GraphQLSchema {
  const own = withoutRepeats(definitions);
  const document = {
    kind: Kind.DOCUMENT,
    definitions: [...own.map(asDefinition(own)), ...parseDocument(deferDefinition).definitions],
  } as const;
  const [fault] = validateSchema(buildASTSchema(document)).filter(
    ({ message }) => message !== noQueryType,
  );
  if (fault !== undefined) throw fault;
  // Judged above; judging again would miss the query type.
  return buildASTSchema(document, { assumeValid: true });
}

/** Without the schema's own definitions of what is there already. */
function withoutRepeats(definitions: readonly DefinitionNode[]): readonly DefinitionNode[] {
  return definitions.filter(
    (node) =>
      node.kind !== Kind.DIRECTIVE_DEFINITION || !repeatedBuiltins.includes(node.name.value),
  );
}

/** The first extension of a type that nothing defines is its definition. */
function asDefinition(
  definitions: readonly DefinitionNode[],
): (node: DefinitionNode) => DefinitionNode {
  const defined = new Set(
    definitions.flatMap((node) => (isTypeDefinitionNode(node) ? [node.name.value] : [])),
  );
  return (node) => {
    if (!("name" in node) || node.name === undefined || defined.has(node.name.value)) return node;
    const definition = definitionOf(node);
    if (definition !== node) defined.add(node.name.value);
    return definition;
  };
}

function definitionOf(node: DefinitionNode): DefinitionNode {
  switch (node.kind) {
    case Kind.SCALAR_TYPE_EXTENSION:
      return { ...node, kind: Kind.SCALAR_TYPE_DEFINITION };
    case Kind.OBJECT_TYPE_EXTENSION:
      return { ...node, kind: Kind.OBJECT_TYPE_DEFINITION };
    case Kind.INTERFACE_TYPE_EXTENSION:
      return { ...node, kind: Kind.INTERFACE_TYPE_DEFINITION };
    case Kind.UNION_TYPE_EXTENSION:
      return { ...node, kind: Kind.UNION_TYPE_DEFINITION };
    case Kind.ENUM_TYPE_EXTENSION:
      return { ...node, kind: Kind.ENUM_TYPE_DEFINITION };
    case Kind.INPUT_OBJECT_TYPE_EXTENSION:
      return { ...node, kind: Kind.INPUT_OBJECT_TYPE_DEFINITION };
    default:
      return node;
  }
}
