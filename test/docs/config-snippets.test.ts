/**
 * Every JSON block of the README and the documentation is a configuration that the gateway takes, a
 * part of one, or one of the few blocks that are something else.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configJsonSchema } from "../../src/config/config-schema.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { root } from "../support/gateway-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Snippet {
  readonly page: string;
  readonly text: string;
}

/** Blocks that are no configuration, by how they begin. */
const others: readonly (readonly [page: string, beginning: string])[] = [
  ["docs/write-a-policy.md", '{\n  "revision": '],
  ["docs/connect-a-remote-server.md", '{ "level": "warn"'],
  ["docs/count-calls.md", '"counters": {\n  "same_call"'],
  ["docs/count-calls.md", '"counters": {\n  "refunds_per_day"'],
  ["docs/existing-policies.md", '"written_for": { "project"'],
  ["docs/existing-policies.md", '"written_for": {\n'],
  ["docs/existing-policies.md", '"written_for": "envoy"'],
  ["docs/share-rules.md", '{\n  "revision": '],
  ["docs/share-rules.md", '"requires": '],
  ["docs/approve-calls.md", '"answer": '],
  ["docs/conversations.md", '{\n  "method": "tools/call"'],
  ["docs/conversations.md", '"claims": '],
  ["docs/try-a-policy.md", '"shadows": '],
];

const pages = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];
const snippets = pages.filter((page) => page.endsWith(".md")).flatMap(snippetsOf);
const topLevel = new Set(Object.keys(Object(configJsonSchema()["properties"])));

/** A block in a list is indented with it. */
function snippetsOf(page: string): readonly Snippet[] {
  const blocks = readFileSync(join(root, page), "utf8").matchAll(/^( *)```jsonc?\n([\s\S]*?)```/gm);
  return [...blocks].map(([, indent = "", text = ""]) => ({
    page,
    text: text.replaceAll(new RegExp(`^${indent}`, "gm"), "").trim(),
  }));
}

function isOther({ page, text }: Snippet): boolean {
  return others.some(([of, beginning]) => page === of && text.startsWith(beginning));
}

/** A whole file around members of a file, or of a server. */
function wholeFile(text: string): string {
  if (!text.startsWith('"')) return text;
  const name = text.slice(1, text.indexOf('"', 1));
  const actors = '"agent": {"id": "a"}, "user": {"id": "u"}';
  if (name === "servers") return `{ ${actors}, ${text} }`;
  const crm = '"crm": {"command": "x", "policy": "oci-layout:b:crm"}';
  if (topLevel.has(name)) return `{ ${actors}, "servers": {${crm}}, ${text} }`;
  return `{ ${actors}, "servers": { "notes": { "command": "x", "policy": "oci-layout:b:notes", ${text} } } }`;
}

const configs = snippets.filter((snippet) => !isOther(snippet));

test("the pages have whole files and parts of all kinds", () => {
  expect(configs.filter(({ text }) => text.startsWith("{")).length).toBeGreaterThan(4);
  expect(configs.filter(({ text }) => text.startsWith('"')).length).toBeGreaterThan(8);
  expect(snippets.filter(isOther)).toHaveLength(others.length);
});

test.each(configs)("the gateway takes what $page shows: $text", ({ text }) => {
  const folder = temporaryFolder();
  const path = join(folder, "mcp-gateway.config.json");
  writeFileSync(path, wholeFile(text), { mode: 0o600 });
  for (const secret of ["state.key", "search.secret", "checkpoint.pem"]) {
    writeFileSync(join(folder, secret), "k".repeat(64), { mode: 0o600 });
  }
  const webhook = `whsec_${Buffer.alloc(32).toString("base64")}`;
  const secrets = { SEARCH_TOKEN: "t", SEARCH_SECRET: "s", DESK_SECRET: webhook, OTEL_KEY: "o" };
  const keys = { ...secrets, LOGS_TOKEN: "l" };
  const env = { ...keys, DATABASE_URL: "postgres://db/x", REDIS_URL: "redis://kv" };
  const { config, warnings } = loadConfig({ path, env });
  expect(warnings).toEqual([]);
  expect(config.servers.size).toBeGreaterThan(0);
});

test("a page that is about connecting shows whole files only", () => {
  const shown = configs.filter(({ page }) => page === "docs/connect-a-remote-server.md");
  expect(shown.length).toBeGreaterThan(3);
  expect(shown.filter(({ text }) => !text.startsWith("{"))).toEqual([]);
});
