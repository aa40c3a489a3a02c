/**
 * `docs/configuration.md` has a row for each key of the schema, with its default, and for nothing
 * else.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configJsonSchema } from "../../src/config/config-schema.ts";
import { isRecord } from "../../src/contract/json.ts";
import { root } from "../support/gateway-process.ts";

/** Keys of one object: default as JSON, `required`, or `–`. */
type Section = Readonly<Record<string, string>>;

const page = readFileSync(join(root, "docs", "configuration.md"), "utf8");
/** Objects that the page describes once and refers to. */
const elsewhere =
  /^http\.authorization\.tokens\.\*\.(?:agent|user)$|\.policy\.signers\.\*$|^layers\.\*\.(?:policy|canary)$|\.shadow$|\.canary\.policy$/;

/** Two alternatives of one place, such as two kinds of signer, are one section. */
function sectionsOfSchema(schema: unknown, path: string, into: Map<string, Section>): void {
  if (!isRecord(schema) || elsewhere.test(path)) return;
  const { anyOf, oneOf, properties, additionalProperties, items, required } = schema;
  for (const branch of [anyOf, oneOf]) {
    if (Array.isArray(branch)) for (const one of branch) sectionsOfSchema(one, path, into);
  }
  sectionsOfSchema(additionalProperties, `${path}.*`, into);
  sectionsOfSchema(items, `${path}.*`, into);
  if (!isRecord(properties)) return;
  const isRequired = (key: string): boolean => Array.isArray(required) && required.includes(key);
  const rows = Object.entries(properties).map(([key, value]) => {
    const byDefault =
      isRecord(value) && "default" in value ? JSON.stringify(value["default"]) : "–";
    return [key, isRequired(key) ? "required" : byDefault] as const;
  });
  into.set(path, { ...into.get(path), ...Object.fromEntries(rows) });
  for (const [key, value] of Object.entries(properties)) {
    sectionsOfSchema(value, path === "" ? key : `${path}.${key}`, into);
  }
}

function sectionsOfPage(): Map<string, Section> {
  const parts = page.split(/^## /m).slice(1);
  return new Map(
    parts.map((part) => {
      const [, path = ""] = /^`([^`]+)`/.exec(part) ?? [];
      const rows = [...part.matchAll(/^\| (`.*?`) \| (.*?) \| .+ \|$/gm)].flatMap(
        ([, keys = "", cell = ""]) =>
          keys.split(", ").map((key) => [bare(key), bare(cell)] as const),
      );
      return [path, Object.fromEntries(rows)];
    }),
  );
}

function bare(cell: string): string {
  return cell.replaceAll("`", "");
}

const expected = new Map<string, Section>();
sectionsOfSchema(configJsonSchema(), "", expected);
const written = sectionsOfPage();

test("the page has a section for each object of the file, and for no other", () => {
  expect(expected.size).toBeGreaterThan(15);
  expect([...written.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
});

test.each([...expected.keys()])("every key of %s is there with its default", (path) => {
  expect(written.get(path)).toEqual(expected.get(path));
});
