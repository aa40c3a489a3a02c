/**
 * The pages on the library and on tests of the whole stack: every library is listed, what they show
 * is what is there, and what they link to exists.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/gateway-process.ts";

function read(...path: readonly string[]): string {
  return readFileSync(join(root, ...path), "utf8");
}

const pages = {
  library: read("docs", "library.md"),
  stack: read("docs", "test-the-stack.md"),
};

test("the page lists every library of this package", () => {
  const libraries = readdirSync(join(root, "bundles")).filter((name) => name.startsWith("lib-"));
  expect(libraries.length).toBeGreaterThan(7);
  for (const name of libraries) expect(pages.library).toContain(`../bundles/${name}/README.md`);
});

test.each([
  ["docs/library.md", pages.library],
  ["docs/test-the-stack.md", pages.stack],
  ["examples/library/README.md", read("examples", "library", "README.md")],
])("every link of %s leads somewhere", (path, text) => {
  const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = ""]) => link);
  expect(links.length).toBeGreaterThan(0);
  const missing = links.filter((link) => !existsSync(join(root, dirname(path), link)));
  expect(missing).toEqual([]);
});

test("rules and cases are shown as they are", () => {
  const [rule = ""] = /(?<=```rego\n)[\s\S]*?(?=```)/.exec(pages.library) ?? [];
  expect(rule).not.toBe("");
  expect(read("examples", "library", "policies", "payments", "policy.rego")).toContain(rule);
  const [shown = ""] = /(?<=```yaml\n)[\s\S]*?(?=```)/.exec(pages.stack) ?? [];
  expect(shown).not.toBe("");
  expect(read("examples", "library", "questions.stack.yaml")).toContain(shown);
});

test("the page has every member that a case and its expectation may have", () => {
  const source = read("src", "cli", "policy", "stack", "stack-case.ts");
  const members = [...source.matchAll(/^ {2,4}([a-z_]+): /gm)].map(([, name = ""]) => name);
  expect(members.length).toBeGreaterThan(25);
  const facts = ["version", "scope", "owner_team", "model", "parent", "authenticated", "id"];
  const untold = [...facts, "groups", "data_classifications_authorized", "conversation_id", "type"];
  const missing = members.filter((name) => !untold.includes(name));
  expect(missing.filter((name) => !pages.stack.includes(`\`${name}\``))).toEqual([]);
});
