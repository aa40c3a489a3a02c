import { Ajv2020 } from "ajv/dist/2020.js";
import { ListToolsResultSchema } from "@modelcontextprotocol/sdk/types.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wrapStructured } from "../../../src/mcp/catalog/legacy-schema.ts";
import { presentTool } from "../../../src/mcp/catalog/present-tool.ts";
import { buildListed, configOf, tool } from "./build-listed.ts";

const present = (
  more: object,
  era: "legacy" | "modern",
  uris: "original" | "prefix" = "original",
) => {
  const { tools } = buildListed([{ id: "s", uris, lists: { tools: [tool("a", more)] } }]);
  if (tools[0] === undefined) throw new Error("expected a tool that is exposed");
  return presentTool(tools[0], era);
};

describe("a tool for a client", () => {
  const listed = {
    title: "A",
    vendor: { x: 1 },
    annotations: { readOnlyHint: true },
    icons: [{ src: "data:," }],
    outputSchema: { type: "object", properties: { n: { type: "number" } } },
  };

  test.each(["legacy", "modern"] as const)(
    "of the %s era is what its server listed, renamed",
    (era) => {
      expect(present(listed, era)).toEqual({ ...tool("s__a"), ...listed });
    },
  );

  test("of the modern era does not say whether it runs as a task, one of the legacy era does", () => {
    const execution = { taskSupport: "optional" };
    expect(present({ execution }, "modern")).toEqual(tool("s__a"));
    expect(present({ execution }, "legacy")).toEqual(tool("s__a", { execution }));
  });

  test("of the legacy era has an output schema of another root under result", () => {
    const outputSchema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "array",
      items: { type: "string" },
    };
    expect(present({ outputSchema }, "modern")).toMatchObject({ outputSchema });
    expect(present({ outputSchema }, "legacy")["outputSchema"]).toEqual({
      $schema: outputSchema.$schema,
      type: "object",
      properties: { result: { type: "array", items: { type: "string" } } },
      required: ["result"],
    });
  });

  test("of the legacy era finds what its wrapped schema refers to", () => {
    const node = {
      type: "object",
      properties: {
        next: { $ref: "#/$defs/node" },
        $ref: { type: "string" },
        default: { $ref: "#/$defs/leaf" },
      },
    };
    const outputSchema = {
      anyOf: [{ $ref: "#/$defs/node" }, { type: "array", items: { $ref: "#" } }],
      $defs: { node, leaf: { type: "integer", default: { $ref: "#/data" } } },
    };
    const { outputSchema: wrapped } = present({ outputSchema }, "legacy");
    const [direct, nested] = [outputSchema, wrapped].map((schema) =>
      new Ajv2020({ strict: false }).compile(schema ?? {}),
    );
    const values = [
      { next: { next: {} } },
      { next: { default: 1 } },
      { default: "x" },
      [[{}], { default: 2 }],
      [1],
      "x",
      { $ref: 1 },
    ];
    expect(values.map((value) => direct?.(value))).toEqual([
      true,
      true,
      false,
      true,
      false,
      false,
      false,
    ]);
    expect(values.map((result) => nested?.({ result }))).toEqual(
      values.map((value) => direct?.(value)),
    );
    expect(JSON.stringify(wrapped)).toContain('"default":{"$ref":"#/data"}');
  });

  test("of the legacy era leaves the references of a schema with an id of its own", () => {
    const outputSchema = { $id: "https://example.com/s", $ref: "#/$defs/a", $defs: { a: {} } };
    expect(present({ outputSchema }, "legacy")).toMatchObject({
      outputSchema: { properties: { result: outputSchema } },
    });
  });

  test("of the legacy era has objects where its schemas have booleans", () => {
    const schema = {
      type: "object",
      properties: { any: true, none: false, text: { type: "string" } },
    };
    const written = { any: {}, none: { not: {} }, text: { type: "string" } };
    const shown = present({ inputSchema: schema, outputSchema: schema }, "legacy");
    expect(shown["inputSchema"]).toEqual({ ...schema, properties: written });
    expect(shown["outputSchema"]).toEqual({ ...schema, properties: written });
    expect(present({ inputSchema: schema }, "modern")).toMatchObject({ inputSchema: schema });
  });

  test("names its user interface as clients read it", () => {
    const _meta = {
      x: 1,
      ui: { resourceUri: "ui://a", visibility: ["app"] },
      "ui/resourceUri": "ui://b",
    };
    expect(present({ _meta }, "modern")).toMatchObject({ _meta });
    expect(present({ _meta }, "legacy", "prefix")["_meta"]).toEqual({
      x: 1,
      ui: { resourceUri: "mcp-s+ui://a", visibility: ["app"] },
      "ui/resourceUri": "mcp-s+ui://b",
    });
  });

  test("keeps a list that an SDK 1.x client accepts, whatever its server says of its tools", () => {
    const odd = fc.oneof(
      { depthSize: "small" },
      fc.constantFrom<unknown>(null, 1, "x", true, [], {}, "object", "required"),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const schema = fc.record(
      {
        type: fc.constantFrom<unknown>("object", "array", ["object"]),
        properties: fc.oneof(odd, fc.dictionary(fc.string(), odd)),
        required: odd,
        anyOf: odd,
      },
      { requiredKeys: [] },
    );
    const some = (shape: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
      fc.oneof(odd, fc.record(shape, { requiredKeys: [] }));
    const member = fc.oneof(
      fc.tuple(fc.constantFrom("inputSchema", "outputSchema"), fc.oneof(schema, odd)),
      fc.tuple(fc.constantFrom("title", "description", "_meta", "vendor"), odd),
      fc.tuple(fc.constant("annotations"), some({ title: odd, readOnlyHint: odd })),
      fc.tuple(fc.constant("execution"), some({ taskSupport: odd })),
      fc.tuple(fc.constant("icons"), fc.array(some({ src: odd, sizes: odd, theme: odd }))),
    );
    const oddTool = fc
      .array(member, { maxLength: 2 })
      .map((members) => tool("odd", Object.fromEntries(members)));
    let kept = 0;
    fc.assert(
      fc.property(oddTool, (listed) => {
        const { tools } = buildListed([{ id: "s", lists: { tools: [listed, tool("good")] } }]);
        kept += tools.length - 1;
        const shown = { tools: tools.map((one) => presentTool(one, "legacy")) };
        expect(ListToolsResultSchema.safeParse(shown).error?.issues).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
    expect(kept).toBeGreaterThan(100);
  });
});

describe("structured content for a legacy client", () => {
  const wrap = (json: string, wraps: boolean) => {
    const bytes = Buffer.from(json);
    return { bytes, wrapped: wrapStructured({ bytes, value: JSON.parse(json) }, wraps) };
  };

  test("goes under result where the schema does, byte for byte", () => {
    const { wrapped } = wrap(
      '{"content":[], "structuredContent": [1.0, 12345678901234567890] }',
      true,
    );
    expect(wrapped.toString()).toBe(
      '{"content":[],"structuredContent":{"result":[1.0, 12345678901234567890]}}',
    );
    expect(wrap('{"structuredContent":{"a":1}}', true).wrapped.toString()).toBe(
      '{"structuredContent":{"result":{"a":1}}}',
    );
  });

  test("goes under result where it is no object, schema or none", () => {
    expect(wrap('{"structuredContent":null}', false).wrapped.toString()).toBe(
      '{"structuredContent":{"result":null}}',
    );
  });

  test.each([
    ['{"structuredContent":{"a":1}}', false],
    ['{"content":[]}', true],
  ])("is left as it came in %s", (json, wraps) => {
    const { bytes, wrapped } = wrap(json, wraps);
    expect(wrapped).toBe(bytes);
  });

  test("is wrapped exactly where the schema is", () => {
    const wrapsResult = (outputSchema: unknown) =>
      buildListed([{ id: "s", lists: { tools: [tool("a", { outputSchema })] } }]).tools[0]
        ?.wrapsResult;
    expect(wrapsResult({ type: "array" })).toBe(true);
    expect(wrapsResult({ $ref: "#/$defs/x" })).toBe(true);
    expect(wrapsResult({ type: "object" })).toBe(false);
    expect(wrapsResult(undefined)).toBe(false);
    expect(configOf({ id: "s" }).resources).toBe("original");
  });
});
