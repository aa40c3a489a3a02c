import { expect, test } from "vitest";
import { resolveTexts, usualTexts } from "../../src/config/texts-schema.ts";

test("hidden characters are shown and nothing is cut where nobody says anything", () => {
  expect(resolveTexts(undefined, undefined)).toEqual(usualTexts);
  expect(usualTexts).toEqual({
    hiddenCharacters: "escape",
    maxBytes: undefined,
    oversize: "withhold",
  });
});

test("what a server says of its texts goes before what the file says, key by key", () => {
  const file = { hidden_characters: "keep", max_bytes: 4096, oversize: "truncate" } as const;

  expect(resolveTexts(file, { hidden_characters: "refuse" })).toEqual({
    hiddenCharacters: "refuse",
    maxBytes: 4096,
    oversize: "truncate",
  });
  expect(resolveTexts(file, { max_bytes: 2048, oversize: "withhold" })).toEqual({
    hiddenCharacters: "keep",
    maxBytes: 2048,
    oversize: "withhold",
  });
});
