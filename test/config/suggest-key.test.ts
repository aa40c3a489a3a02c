import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRecord } from "../../src/contract/json.ts";
import { configJsonSchema, inertServerKeys } from "../../src/config/config-schema.ts";
import { knownKeysAt, suggestKey } from "../../src/config/suggest-key.ts";
import { minimal, problemsOf, server } from "./support.ts";

const objects = [
  [],
  ["agent"],
  ["user"],
  ["environment"],
  ["servers", "crm"],
  ["servers", "crm", "tools", "x"],
  ["layers", 0],
  ["decisions"],
  ["policy"],
  ["registries", "r"],
];
const inert = new Set<string>(inertServerKeys);
const places = objects.map((path) => ({
  path,
  keys: knownKeysAt(configJsonSchema(), path).filter((key) => !inert.has(key)),
}));

const misspelling = fc
  .constantFrom(...places.flatMap(({ keys }) => keys.map((key) => ({ key, keys }))))
  .chain(({ key, keys }) =>
    fc.record({
      key: fc.constant(key),
      keys: fc.constant(keys),
      at: fc.nat(key.length - 1),
      letter: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz_".split("")),
      kind: fc.constantFrom("drop", "add", "replace", "swap"),
    }),
  )
  .map(({ key, keys, at, letter, kind }) => ({ key, keys, word: misspell(key, at, letter, kind) }))
  .filter(({ word, keys }) => word !== "" && !keys.includes(word))
  // `rools` may mean `roots` as well as `tools`.
  .filter(({ key, keys, word }) => keys.every((other) => other === key || !isNear(word, other)));

/** True where one letter more, less or otherwise, or two in turn, make one word of the other. */
function isNear(word: string, key: string): boolean {
  const kinds = ["drop", "add", "replace", "swap"];
  const letters = [...new Set(word)];
  const places = Array.from({ length: key.length + 1 }, (_, at) => at);
  return places.some((at) =>
    kinds.some((kind) => letters.some((letter) => misspell(key, at, letter, kind) === word)),
  );
}

function misspell(key: string, at: number, letter: string, kind: string): string {
  const [before, after] = [key.slice(0, at), key.slice(at + 1)];
  if (kind === "drop") return before + after;
  if (kind === "add") return before + letter + key.slice(at);
  if (kind === "replace") return before + letter + after;
  return before + after.slice(0, 1) + key.charAt(at) + after.slice(1);
}

describe("did you mean", () => {
  test("every object of the configuration has known keys", () => {
    for (const { keys } of places) expect(keys.length).toBeGreaterThan(1);
  });

  test("any single misspelling of any known key suggests that key", () => {
    const property = fc.property(misspelling, ({ key, keys, word }) => {
      expect(suggestKey(word, keys)).toBe(key);
    });
    fc.assert(property, { numRuns: 5000 });
  });

  test.each([
    ["dataClasses", ["data_classes", "labels"], "data_classes"],
    ["DATA-CLASSES", ["data_classes", "labels"], "data_classes"],
    ["mcpServers", ["agent", "servers"], "servers"],
    ["onFailure", ["store", "on_failure"], "on_failure"],
  ])("%s, as other tools write it, is understood", (word, keys, key) => {
    expect(suggestKey(word, keys)).toBe(key);
  });

  test.each(["", "x", "completely_different", "constructor"])("%s suggests nothing", (word) => {
    expect(suggestKey(word, ["agent", "servers", "tenant"])).toBeUndefined();
  });

  test("a key that has no effect is never suggested", () => {
    const servers = { crm: { ...server, timeuot: 5 } };
    expect(problemsOf({ ...minimal, servers })[0]).not.toContain('"timeout"');
  });

  test("any key is welcome among servers and tools, so nothing is known there", () => {
    expect(isRecord(configJsonSchema())).toBe(true);
    expect(knownKeysAt(configJsonSchema(), ["servers"])).toEqual([]);
    expect(knownKeysAt(configJsonSchema(), ["servers", "x", "tools"])).toEqual([]);
  });
});
