/**
 * B24: schemas that come from a hostile server. None is followed out of itself, none makes anything
 * happen by its names, and what is not understood in one is never taken for passed.
 */
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Json } from "../../../../src/contract/json.ts";
import { createArgumentCheck } from "../../../../src/policy/engine/check-arguments.ts";
import type { ArgumentCheck } from "../../../../src/policy/engine/policy-engine.ts";

function check(schema: Json, args: Json = {}): ArgumentCheck {
  return checkText(JSON.stringify(schema), JSON.stringify(args));
}

function checkText(schemaJson: string, argumentsJson = "{}"): ArgumentCheck {
  return createArgumentCheck()({ schemaJson, schemaDigest: "sha256:x", argumentsJson });
}

const codeOf = (result: ArgumentCheck): string => (result.ok ? "ok" : result.code);

afterEach(() => vi.unstubAllGlobals());

describe("B24: a schema that leads out of itself", () => {
  test.each([
    "https://evil.example/schema.json",
    "http://127.0.0.1:1/x",
    "file:///etc/passwd",
    "other.json",
    "//evil.example/x",
    "#nowhere",
    "#/$defs/nowhere",
    "#/properties/a/toString",
    "#/__proto__",
    "#/constructor/name",
    "#/properties/9999999999",
    "data:application/json,true",
    "https://json-schema.org/draft/2020-12/schema",
    "#%ff",
    "http://[",
  ])("by $ref %j is unusable, and nobody fetches anything", ($ref) => {
    const fetch = vi.fn<typeof globalThis.fetch>();
    vi.stubGlobal("fetch", fetch);
    expect(codeOf(check({ properties: { a: { $ref } } }))).toBe("schema_unusable");
    expect(codeOf(check({ properties: { a: { $dynamicRef: $ref } } }))).toBe("schema_unusable");
    expect(fetch).not.toHaveBeenCalled();
  });

  test("is unusable even where no argument needs the reference", () => {
    const schema = { properties: { never: { anyOf: [true, { $ref: "https://evil.example/" }] } } };
    expect(codeOf(check(schema))).toBe("schema_unusable");
  });

  test("is unusable where one of its parts takes the name of another", () => {
    const schema = { $defs: { a: { $id: "x", const: 1 }, b: { $id: "x" } }, $ref: "x" };
    expect(codeOf(check(schema, 2))).toBe("schema_unusable");
  });
});

describe("B24: a schema that refers to itself without end", () => {
  test.each<readonly [string, Json]>([
    ["$ref to the root", { $ref: "#" }],
    [
      "$ref in a circle",
      { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } },
    ],
    ["$dynamicRef to itself", { $dynamicAnchor: "a", $dynamicRef: "#a" }],
    ["allOf of itself", { allOf: [{ $ref: "#" }] }],
    ["not itself", { not: { $ref: "#" } }],
    ["if itself", { if: { $ref: "#" } }],
    [
      "propertyNames of itself",
      { $ref: "#/$defs/a", $defs: { a: { allOf: [{ $ref: "#/$defs/a" }] } } },
    ],
  ])("by %s is unusable", (_, schema) => {
    expect(check(schema)).toMatchObject({
      code: "schema_unusable",
      message: expect.stringContaining("found it 1000 steps deep"),
    });
  });

  test("for its own nesting is unusable", () => {
    const deep = `${'{"not":'.repeat(20_000)}true${"}".repeat(20_000)}`;
    expect(codeOf(checkText(deep))).toBe("schema_unusable");
  });
});

describe("B24: a schema that is not understood", () => {
  test.each<readonly [string, Json]>([
    ["another dialect", { $schema: "http://json-schema.org/draft-04/schema#" }],
    ["a made-up dialect", { $schema: "https://evil.example/none" }],
    ["a dialect that is no text", { $schema: 7 }],
    [
      "another dialect inside",
      { $defs: { a: { $id: "a", $schema: "http://json-schema.org/draft-07/schema#" } } },
    ],
    ["a list", []],
    ["null", null],
    ["a text", "true"],
    ["an unknown type", { type: "int" }],
    ["a type of nature", { type: "toString" }],
    ["required that is no list", { required: "id" }],
    ["required with numbers", { required: [1] }],
    ["properties that are a list", { properties: [] }],
    ["a property that is no schema", { properties: { a: "string" } }],
    ["a limit that is a text", { maximum: "10" }],
    ["a limit that is a boolean, as in draft-04", { minimum: 1, exclusiveMinimum: true }],
    ["a negative length", { maxLength: -1 }],
    ["half a length", { minItems: 1.5 }],
    ["multiples of 0", { multipleOf: 0 }],
    ["enum that is no list", { enum: "a" }],
    ["an empty anyOf", { anyOf: [] }],
    ["oneOf that is no list", { oneOf: { const: 1 } }],
    ["uniqueItems that is a text", { uniqueItems: "yes" }],
    ["a pattern of another language", { pattern: "(?P<year>\\d{4})" }],
    ["a pattern that does not end", { patternProperties: { "(": true } }],
    ["items by place, as in draft-07", { items: [{ type: "string" }] }],
    ["definitions that are no object", { $defs: 3 }],
    ["$ref that is no text", { $ref: {} }],
  ])("for %s is unusable", (_, schema) => {
    expect(codeOf(check(schema))).toBe("schema_unusable");
  });

  test("says so again the next time, and without what it holds", () => {
    const checkArguments = createArgumentCheck();
    const request = {
      schemaJson: '{"type":"secret-type","pattern":"secret("}',
      schemaDigest: "sha256:y",
      argumentsJson: "{}",
    };
    for (const result of [checkArguments(request), checkArguments(request)]) {
      expect(result).toEqual({
        ok: false,
        code: "schema_unusable",
        message:
          'the tool\'s input schema cannot be used: expected the name of a JSON type in "type"',
      });
    }
  });
});

describe("B24: a schema that makes the engine itself give up", () => {
  test.each<readonly [string, Json, Json]>([
    ["a pattern too large to compile", { pattern: "((a{1000}){1000}){1000}" }, "aaa"],
    ["a multiple of next to nothing", { multipleOf: 5e-324, maximum: -1 }, 1.7e308],
  ])("by %s is no pass", (_, schema, args) => {
    expect(check(schema, args).ok).toBe(false);
  });
});

describe("B24: hostile names in a schema", () => {
  const hostile = [
    '"); process.exit(1); ("',
    "'];globalThis.pwned=1;['",
    "`${globalThis.pwned=1}`",
    "a\nb",
    "a\u2028b\u2029c",
    "\\u0022",
    "constructor",
    "prototype",
    "hasOwnProperty",
    "toString",
    "valueOf",
    "then",
    "",
    "\u0000",
  ];

  test.each(hostile)("%j is a name like any other, in every place that names stand", (name) => {
    const schema = {
      properties: { [name]: { type: "string", default: name, format: name, title: name } },
      required: [name],
      dependentRequired: { [name]: [name] },
      dependentSchemas: { [name]: true },
      $defs: { [name]: { const: name } },
      [`x-${name}`]: { [name]: name },
      enum: [{ [name]: name }, { [name]: 1 }],
      additionalProperties: false,
    };
    expect(check(schema, { [name]: name })).toEqual({ ok: true });
    expect(codeOf(check(schema, { [name]: 1 }))).toBe("arguments_invalid");
    expect(codeOf(check(schema, {}))).toBe("arguments_invalid");
    expect(Object.hasOwn(globalThis, "pwned")).toBe(false);
  });

  test("__proto__ is a name like any other, and changes nothing for anybody", () => {
    const schema =
      '{"properties":{"__proto__":{"type":"string"}},"required":["__proto__"],"__proto__":{"polluted":1},"$defs":{"__proto__":{"const":1}}}';
    expect(checkText(schema, '{"__proto__":"x"}')).toEqual({ ok: true });
    expect(codeOf(checkText(schema, '{"__proto__":1}'))).toBe("arguments_invalid");
    expect(codeOf(checkText(schema, "{}"))).toBe("arguments_invalid");
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    expect(codeOf(checkText('{"enum":[{"__proto__":1}]}', "{}"))).toBe("arguments_invalid");
  });

  test("no code is generated from them: it works where generating code is forbidden", () => {
    const forbid = vi.fn(() => {
      throw new Error("code was generated");
    });
    vi.stubGlobal("Function", forbid);
    vi.stubGlobal("eval", forbid);
    expect(codeOf(check({ properties: { a: { pattern: "^x" } } }, { a: "y" }))).toBe(
      "arguments_invalid",
    );
    expect(forbid).not.toHaveBeenCalled();
  });
});

describe("B24: what a schema cannot do to arguments", () => {
  test("fill in a default", () => {
    const schema = { properties: { a: { default: 1 } }, required: ["a"] };
    expect(codeOf(check(schema, {}))).toBe("arguments_invalid");
  });

  test("turn one type into another", () => {
    const schema = {
      properties: { n: { type: "number" }, l: { type: "array" }, b: { type: "boolean" } },
    };
    for (const args of [{ n: "1" }, { l: 1 }, { b: "true" }, { b: 0 }, { n: true }]) {
      expect(codeOf(check(schema, args))).toBe("arguments_invalid");
    }
  });

  test("have a format mean more than a note", () => {
    expect(check({ properties: { a: { format: "uri" } } }, { a: "no uri" })).toEqual({ ok: true });
    expect(check({ properties: { a: { format: "made-up" } } }, { a: "x" })).toEqual({ ok: true });
  });

  test("take 100.0 and 1e2 for something else than 100", () => {
    const schema = { properties: { n: { type: "integer", const: 100 } } };
    for (const n of ["100", "100.0", "1e2"]) {
      expect(checkText(JSON.stringify(schema), `{"n":${n}}`)).toEqual({ ok: true });
    }
    expect(codeOf(checkText(JSON.stringify(schema), '{"n":100.5}'))).toBe("arguments_invalid");
  });

  test("allow or forbid everything by being a boolean, but as it says", () => {
    expect(check(true, { a: 1 })).toEqual({ ok: true });
    expect(codeOf(check(false, {}))).toBe("arguments_invalid");
  });

  test("put more than a little of them into the answer", () => {
    const name = "secret".repeat(1000);
    const result = check({ additionalProperties: { type: "null" } }, { [name]: "private value" });
    const message = result.ok ? "" : result.message;
    expect(message).toContain("breaks type");
    expect(message).not.toContain("private value");
    expect(message.length).toBeLessThan(500);
  });
});

describe("compiled schemas", () => {
  test("are kept by their digest, the least used going first", () => {
    const checkArguments = createArgumentCheck();
    const padding = "x".repeat(100_000);
    const ask = (digest: string, schema: Json) =>
      codeOf(
        checkArguments({
          schemaJson: JSON.stringify({ ...Object(schema), title: padding }),
          schemaDigest: digest,
          argumentsJson: "1",
        }),
      );
    expect(ask("first", { const: 1 })).toBe("ok");
    // The digest is what counts while it is kept.
    expect(ask("first", { const: 2 })).toBe("ok");
    for (let place = 0; place < 15; place += 1) {
      expect(ask(`other ${place}`, { const: 1 })).toBe("ok");
      expect(ask("first", { const: 2 })).toBe("ok");
    }
    for (let place = 0; place < 12; place += 1) ask(`more ${place}`, { const: 1 });
    expect(ask("more 11", { const: 2 })).toBe("ok");
    expect(ask("first", { const: 2 })).toBe("arguments_invalid");
  });
});
