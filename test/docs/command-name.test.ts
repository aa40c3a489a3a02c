/**
 * Every page writes the command in the one way that works in a clone: `npx mcp-gateway`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/gateway-process.ts";

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
  ...readdirSync(join(root, "examples")).map((name) => `examples/${name}/README.md`),
].flatMap((path) => {
  try {
    return [{ path, text: readFileSync(join(root, path), "utf8") }];
  } catch {
    return [];
  }
});

test("there are pages with commands", () => {
  expect(pages.filter(({ text }) => text.includes("npx mcp-gateway ")).length).toBeGreaterThan(8);
});

test.each(pages)("$path writes commands with npx", ({ text }) => {
  // A command begins a line, a prompt or a piece of code.
  expect(text.match(/^(?:\$ )?mcp-gateway [a-z]+.*$|`mcp-gateway [a-z]+/gm) ?? []).toEqual([]);
});

test("one page says how the command is run", () => {
  const said = pages.filter(({ text }) => /^## How it is run$/m.test(text));
  expect(said.map(({ path }) => path)).toEqual(["docs/configure.md"]);
});
