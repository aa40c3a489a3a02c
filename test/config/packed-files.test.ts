/**
 * Who installs the package has what its README and its example configurations lead to.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { root } from "../support/gateway-process.ts";

const packed = new Set<string>();
beforeAll(() => {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const text = execFileSync("npm", args, { cwd: root, encoding: "utf8", stdio: "pipe" });
  for (const { files } of JSON.parse(text)) for (const { path } of files) packed.add(path);
}, 120_000);

test.each([
  "dist/bin/main.js",
  "toolchain/dist/opa.wasm.br",
  "sql/0001-decision-record.sql",
  "mcp-gateway.config.json",
  "bundles/dist/index.json",
  "bundles/dist/oci-layout",
  "servers/crm/main.js",
  "servers/mail/main.js",
  "examples/demo/story.js",
  "examples/minimal/mcp-gateway.config.json",
  "examples/minimal/notes-server.js",
])("the package has %s", (path) => {
  expect(packed).toContain(path);
});

test("the package has every page that the README links to, but for tests and how to contribute", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const links = [...readme.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, path = ""]) => path);
  const pages = links.filter((path) => !/^(?:https?:|test\/|CONTRIBUTING\.md)/.test(path));
  expect(pages.length).toBeGreaterThan(8);
  const missing = pages.filter((path) => ![...packed].some((file) => file.startsWith(path)));
  expect(missing).toEqual([]);
});
