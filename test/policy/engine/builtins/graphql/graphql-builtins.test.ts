import { expect, it } from "vitest";
import { askBoth } from "../ask-both.ts";

const schema = `
  "Root"
  type Query { hero(episode: Episode = JEDI): Character, search(text: String!, n: [Int!]): [Result!]! }
  enum Episode { JEDI, EMPIRE @deprecated(reason: "old") }
  interface Character { id: ID!, name: String }
  type Human implements Character { id: ID!, name: String, height(unit: Unit): Float }
  type Droid implements Character { id: ID!, name: String, primaryFunction: String }
  input Filter { a: Int = 1, b: [String!] }
  enum Unit { METER }
  union Result = Human | Droid
  directive @audit(level: Int!) repeatable on FIELD | QUERY
  extend type Query { filtered(by: Filter): Int }
  schema { query: Query }
  scalar Date @specifiedBy(url: "https://example.com")
`;
const queries = [
  "{ hero { id name } }",
  "query Q($e: Episode = EMPIRE) @audit(level: 1) { h: hero(episode: $e) { ...F ... on Droid { primaryFunction } } } fragment F on Human { height(unit: METER) }",
  '{ search(text: """block "text" """, n: [1, 2]) { __typename ... on Human { name } } }',
  '{ filtered(by: {a: 1, b: ["x", "\\u00e9"]}) }',
  "{ hero { id } } { hero { id } }",
  "{ hero }",
  "{ nothing }",
  "{ hero(episode: OTHER) { id } }",
  "query ($unused: Int) { hero { id } }",
  "{ search { id } }",
  "{ hero { ...G } }",
  "{ hero @defer { id } }",
  "subscription { hero { id } }",
  "{ hero { ... @defer { id } } }",
  "{ hero { id @audit } }",
  "mutation { hero { id } }",
  "type T { a: Int }",
  "{",
  "",
];
const schemas = [
  schema,
  "type Query { a: Int } type Query { b: Int }",
  "type Query { a: Unknown }",
  "type Query { a(b: Query): Int }",
  "input A { a: A! }",
  "type A implements B { a: Int } interface B { b: Int }",
  "union U = A | A type A { a: Int }",
  "enum E {}",
  "extend type New { a: Int }",
  "extend enum New { A }",
  "type __A { a: Int }",
  "directive @skip(if: Boolean!) on FIELD",
  "directive @a on FIELD directive @a on FIELD",
  "type A { a: Int, a: Int }",
  "type A @missing { a: Int }",
  "scalar A @deprecated",
  "schema { query: Missing }",
  "type A {}",
  "{ a }",
];

it("parses and validates as opa does", async () => {
  const both = queries.flatMap((query, place) => [
    `graphql.parse_query(cases.queries[${place}])`,
    `graphql.is_valid(cases.queries[${place}], cases.schemas[0])`,
    `graphql.parse(cases.queries[${place}], cases.schemas[0])`,
    `graphql.parse_and_verify(cases.queries[${place}], cases.schemas[0])[0]`,
  ]);
  const alone = schemas.flatMap((_, place) => [
    `graphql.schema_is_valid(cases.schemas[${place}])`,
    `graphql.parse_schema(cases.schemas[${place}])`,
  ]);
  const trees = [
    "graphql.is_valid(graphql.parse_query(cases.queries[0]), graphql.parse_schema(cases.schemas[0]))",
    "graphql.is_valid(graphql.parse_query(cases.queries[3]), graphql.parse_schema(cases.schemas[0]))",
    "graphql.is_valid(graphql.parse_query(cases.queries[1]), graphql.parse_schema(cases.schemas[0]))",
    "graphql.is_valid({}, {})",
    'graphql.is_valid({"Operations": 1}, {})',
  ];
  const calls = [...both, ...alone, ...trees];
  const { ours, opas } = await askBoth(calls, { queries, schemas });
  const table = (answers: readonly (string | undefined)[]) =>
    calls.map((call, place) => [call, answers[place]]);
  expect(table(ours)).toEqual(table(opas));
  expect(ours.filter((answer) => answer === "true").length).toBeGreaterThan(15);
  expect(ours.filter((answer) => answer === "false").length).toBeGreaterThan(15);
}, 60_000);
