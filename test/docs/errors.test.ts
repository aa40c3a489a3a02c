/**
 * `docs/errors.md` has a row for each code that the product can answer, and for nothing else.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/gateway-process.ts";

const comments = /\/\*[\s\S]*?\*\/|\/\/.*$/gm;
const unions = /export type \w+(?:ErrorCode|Failure) =([^;]+);/g;
const lists = /export const \w*[cC]odes = \[([^\]]+)\] as const/g;
const literal = /"([a-z]+(?:_[a-z]+)*)"/g;

function codesOfSource(): readonly string[] {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const sources = files
    .filter((path) => path.endsWith(".ts"))
    .map((path) => readFileSync(join(root, "src", path), "utf8").replaceAll(comments, ""));
  const declarations = sources.flatMap((text) =>
    [...text.matchAll(unions), ...text.matchAll(lists)].map((match) => match[1] ?? ""),
  );
  const codes = declarations.flatMap((text) =>
    [...text.matchAll(literal)].map((match) => match[1] ?? ""),
  );
  return [...new Set(codes)].toSorted();
}

function codesOfDocument(): readonly string[] {
  const text = readFileSync(join(root, "docs", "errors.md"), "utf8");
  return [...text.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1] ?? "").toSorted();
}

test("every code has one row that says what it means and what to do", () => {
  expect(codesOfSource().length).toBeGreaterThan(50);
  expect(codesOfDocument()).toEqual(codesOfSource());
});
