import { expect, test } from "vitest";
import { usualTexts } from "../../../src/config/texts-schema.ts";
import { buildCatalog } from "../../../src/mcp/catalog/catalog.ts";
import { cleanDefinition } from "../../../src/mcp/catalog/clean-definition.ts";
import { presentTool } from "../../../src/mcp/catalog/present-tool.ts";
import { configOf, resource, tool } from "./build-listed.ts";

const bad = "x\u202ey";
const shown = String.raw`x\u202ey`;
const schemaOf = (property: object) => ({ type: "object", properties: { a: property } });

test("words are shown in every place of a schema, and the properties that are called like them too", () => {
  const definition = {
    name: "t",
    description: bad,
    inputSchema: {
      type: "object",
      properties: {
        description: { description: bad, examples: [{ deep: bad }] },
        default: { title: bad, items: { $comment: bad } },
      },
    },
  };

  const cleaned = cleanDefinition(definition, usualTexts);

  const text = JSON.stringify(definition).replaceAll("\u202e", String.raw`\\u202e`);
  expect(cleaned).toEqual({ ok: true, definition: JSON.parse(text) });
});

test.each([
  ["an enumeration", schemaOf({ enum: [bad] })],
  ["a constant", schemaOf({ const: { description: bad } })],
  ["a default", schemaOf({ default: { title: bad } })],
  ["a pattern", schemaOf({ pattern: bad })],
  ["a required name", { ...schemaOf({}), required: [bad] }],
  ["a property", { type: "object", properties: { [bad]: {} } }],
  ["a name in a default", schemaOf({ default: { [bad]: 1 } })],
  ["a reference", schemaOf({ $ref: `#/$defs/${bad}` })],
])("a definition is not shown that has one in %s", (_, inputSchema) => {
  expect(cleanDefinition({ name: "t", inputSchema }, usualTexts).ok).toBe(false);
  const keep = { ...usualTexts, hiddenCharacters: "keep" } as const;
  expect(cleanDefinition({ name: "t", inputSchema }, keep).ok).toBe(true);
});

test("a definition is not shown that is larger than the operator allows, nor, where they are refused, with one", () => {
  const definition = { name: "t", description: "x".repeat(2000) };
  expect(cleanDefinition(definition, { ...usualTexts, maxBytes: 1024 })).toEqual({
    ok: false,
    reason: "its definition is larger than 1024 bytes",
  });
  expect(cleanDefinition(definition, { ...usualTexts, maxBytes: 4096 }).ok).toBe(true);
  const refuse = { ...usualTexts, hiddenCharacters: "refuse" } as const;
  expect(cleanDefinition(definition, refuse).ok).toBe(true);
  expect(cleanDefinition({ name: "t", description: bad }, refuse).ok).toBe(false);
});

test("a listed tool is pinned and checked as its server wrote it, and shown without; a bad one is left out", () => {
  const lists = {
    prompts: [],
    resourceTemplates: [],
    tools: [
      tool("words", { inputSchema: schemaOf({ type: "string", description: bad }) }),
      tool("enum", { inputSchema: schemaOf({ enum: [bad] }) }),
    ],
    resources: [resource("memo://a", { name: bad }), resource("memo://b", { mimeType: bad })],
  };
  const catalog = (hiddenCharacters: "escape" | "keep") => {
    const server = { ...configOf({ id: "s" }), texts: { ...usualTexts, hiddenCharacters } };
    return buildCatalog([{ server: "s", ...lists }], [server]);
  };

  const { tools, resources, refused } = catalog("escape");

  expect(tools.map(({ name }) => name)).toEqual(["words"]);
  const [words] = tools;
  if (words === undefined) throw new Error("expected a tool");
  expect(words.inputSchema).toEqual(schemaOf({ type: "string", description: bad }));
  expect(words.digest).toBe(catalog("keep").tools[0]?.digest);
  for (const era of ["legacy", "modern"] as const) {
    expect(presentTool(words, era)["inputSchema"]).toEqual(
      schemaOf({ type: "string", description: shown }),
    );
  }
  expect(resources.map((one) => one.shown["name"])).toEqual([shown]);
  expect(refused.map(({ name, reason }) => [name, reason])).toEqual([
    ["enum", "its enum holds hidden characters"],
    ["memo://b", "its mimeType holds hidden characters"],
  ]);
});
