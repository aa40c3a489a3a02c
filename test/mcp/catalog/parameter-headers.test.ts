import { describe, expect, test } from "vitest";
import {
  parameterHeadersOf,
  readParameterHeaders,
} from "../../../src/mcp/catalog/parameter-headers.ts";
import { buildListed, namesOf, tool } from "./build-listed.ts";

const annotated = (name: unknown, type: unknown = "string") => ({ type, "x-mcp-header": name });
const schemaOf = (properties: object, more: object = {}) => ({
  type: "object",
  properties,
  ...more,
});
const read = (schema: object) => readParameterHeaders(JSON.parse(JSON.stringify(schema)));

describe("annotations of parameters that are mirrored into headers", () => {
  test("are read with the place of each parameter", () => {
    const schema = schemaOf({
      region: annotated("Region"),
      nested: { type: "object", properties: { "a/b~c": annotated("Depth", "integer") } },
      flag: annotated("Method", "boolean"),
      plain: { type: "number" },
      "x-mcp-header": { type: "string" },
    });
    const reading = read(schema);
    expect(reading.ok && [...reading.pointers]).toEqual([
      ["Mcp-Param-Region", "/region"],
      ["Mcp-Param-Depth", "/nested/a~1b~0c"],
      ["Mcp-Param-Method", "/flag"],
    ]);
  });

  // The tools of the conformance scenario "http-invalid-tool-headers", and each place that the
  // chapter names as out of reach.
  test.each([
    ["an empty name", schemaOf({ a: annotated("") })],
    ["no text as a name", schemaOf({ a: annotated(1) })],
    ["a space in the name", schemaOf({ a: annotated("My Region") })],
    ["a colon in the name", schemaOf({ a: annotated("Region:Primary") })],
    ["a letter outside ASCII", schemaOf({ a: annotated("Région") })],
    ["a control character", schemaOf({ a: annotated("Region\t1") })],
    ["a line break", schemaOf({ a: annotated("X\r\nY") })],
    ["an object", schemaOf({ a: annotated("A", "object") })],
    ["an array", schemaOf({ a: annotated("A", "array") })],
    ["null", schemaOf({ a: annotated("A", "null") })],
    ["a number", schemaOf({ a: annotated("A", "number") })],
    ["several types", schemaOf({ a: annotated("A", ["string", "null"]) })],
    ["no type", schemaOf({ a: { "x-mcp-header": "A" } })],
    ["the same name twice", schemaOf({ a: annotated("Region"), b: annotated("Region") })],
    [
      "the same name in another case",
      schemaOf({ a: annotated("MyField"), b: annotated("myfield") }),
    ],
    ["the root", { ...schemaOf({}), ...annotated("Root", "object") }],
    ["items", schemaOf({ a: { type: "array", items: annotated("A") } })],
    ["prefixItems", schemaOf({ a: { prefixItems: [annotated("A")] } })],
    ["additionalProperties", schemaOf({}, { additionalProperties: annotated("A") })],
    ["patternProperties", schemaOf({}, { patternProperties: { "^a": annotated("A") } })],
    ["oneOf", schemaOf({}, { oneOf: [schemaOf({ a: annotated("A") })] })],
    ["anyOf", schemaOf({ a: { anyOf: [annotated("A")] } })],
    ["allOf", schemaOf({}, { allOf: [schemaOf({ a: annotated("A") })] })],
    ["not", schemaOf({}, { not: schemaOf({ a: annotated("A") }) })],
    ["if", schemaOf({}, { if: schemaOf({ a: annotated("A") }) })],
    ["else", schemaOf({}, { else: schemaOf({ a: annotated("A") }) })],
    ["$defs", schemaOf({ a: { $ref: "#/$defs/a" } }, { $defs: { a: annotated("A") } })],
    ["$defs under the name of data", schemaOf({}, { $defs: { default: annotated("A") } })],
  ])("are refused on %s", (_, schema) => {
    expect(read(schema).ok).toBe(false);
    const { tools, refused } = buildListed([
      { id: "s", lists: { tools: [tool("bad", { inputSchema: schema }), tool("good")] } },
    ]);
    expect(namesOf(tools)).toEqual(["s__good"]);
    expect(refused[0]?.reason).toContain("x-mcp-header");
  });

  test("are not looked for in data", () => {
    const data = { "x-mcp-header": "" };
    const schema = schemaOf({
      a: { type: "object", default: data, examples: [data], const: data },
    });
    expect(read(schema)).toMatchObject({ ok: true });
  });

  test("of a schema with very many take no long time", () => {
    const many = Array.from({ length: 5000 }, (_, at) => [`p${at}`, annotated(`H${at}`)] as const);
    const reading = read(schemaOf(Object.fromEntries(many)));
    expect(reading.ok && reading.pointers.size).toBe(5000);
  });
});

describe("the headers of a call", () => {
  const parameterHeaders = new Map([
    ["Mcp-Param-A", "/a"],
    ["Mcp-Param-B", "/n/b~1c"],
    ["Mcp-Param-Proto", "/constructor"],
  ]);
  const headers = (args: object) => parameterHeadersOf({ parameterHeaders }, JSON.stringify(args));

  test("mirror what the arguments have at each place", () => {
    expect(headers({ a: "x y", n: { "b/c": 42 } })).toEqual({
      "Mcp-Param-A": "x y",
      "Mcp-Param-B": "42",
    });
    expect(headers({ a: false })).toEqual({ "Mcp-Param-A": "false" });
  });

  test("leave out null, what is not there, and what is no primitive", () => {
    expect(headers({ a: null, n: [] })).toEqual({});
    expect(headers({ a: {}, n: { "b/c": 1.5 } })).toEqual({});
    expect(headers({})).toEqual({});
  });
});
