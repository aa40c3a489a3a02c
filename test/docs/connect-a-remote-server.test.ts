/**
 * The entries of `docs/connect-a-remote-server.md` are entries that the gateway takes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { root } from "../support/gateway-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const page = readFileSync(join(root, "docs", "connect-a-remote-server.md"), "utf8");
const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const entries = blocks.filter((block) => block.includes('"url"'));

test("the page has entries", () => {
  expect(entries.length).toBeGreaterThan(3);
});

test.each(entries)("the gateway takes %s", (entry) => {
  const folder = temporaryFolder();
  const path = join(folder, "mcp-gateway.config.json");
  writeFileSync(join(folder, "search.secret"), "secret", { mode: 0o600 });
  const text = `{"agent": {"id": "a"}, "user": {"id": "u"}, "servers": ${entry}}`;
  writeFileSync(path, text, { mode: 0o600 });
  const env = { SEARCH_TOKEN: "token", SEARCH_SECRET: "secret" };
  const { config } = loadConfig({ path, env });
  expect(config.servers.get("search")?.transport.kind).toBe("http");
});
