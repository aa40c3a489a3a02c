/**
 * Every snippet of `docs/configure.md` is one that the gateway takes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configJsonSchema, inertServerKeys } from "../../src/config/config-schema.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { root } from "../support/gateway-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const page = readFileSync(join(root, "docs", "configure.md"), "utf8");
const snippets = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const topLevel = new Set(Object.keys(Object(configJsonSchema()["properties"])));

/** A whole file around members of a file, or of a server. */
function wholeFile(snippet: string): string {
  if (!snippet.startsWith('"')) return snippet;
  const name = snippet.slice(1, snippet.indexOf('"', 1));
  const actors = '"agent": {"id": "a"}, "user": {"id": "u"}';
  const members = snippet.trimEnd();
  if (name === "servers") return `{ ${actors}, ${members} }`;
  if (topLevel.has(name)) return `{ ${actors}, "servers": {}, ${members} }`;
  return `{ ${actors}, "servers": { "notes": { "command": "x", "policy": "oci-layout:b:notes", ${members} } } }`;
}

test("the page has snippets of all kinds", () => {
  expect(snippets.length).toBeGreaterThan(7);
});

test.each(snippets)("the gateway takes %s", (snippet) => {
  const folder = temporaryFolder();
  const path = join(folder, "mcp-gateway.config.json");
  writeFileSync(path, wholeFile(snippet), { mode: 0o600 });
  writeFileSync(join(folder, "state.key"), "k".repeat(64), { mode: 0o600 });
  const env = { SEARCH_TOKEN: "token", DATABASE_URL: "postgres://db/x" };
  const { warnings } = loadConfig({ path, env });
  expect(warnings).toEqual([]);
});

test("every key of a server is on the page, or on one that it links", () => {
  const pages = ["configure.md", "connect-a-remote-server.md"].map((name) =>
    readFileSync(join(root, "docs", name), "utf8"),
  );
  const { servers } = Object(configJsonSchema()["properties"]);
  const keys = Object.keys(servers.additionalProperties.properties);
  const inert: readonly string[] = inertServerKeys;
  const silent = keys.filter((key) => {
    const named = new RegExp(`[\`"]${key}[\`"]`);
    return !inert.includes(key) && !pages.some((text) => named.test(text));
  });
  expect(silent).toEqual([]);
});
