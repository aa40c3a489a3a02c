/**
 * Every example is one that runs: each configuration loads with its bundles, and the least one
 * serves.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, runBin, freshEnvironment, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";

const inExamples = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith("mcp-gateway.config.json"))
  .map((path) => join("examples", path));
const configs = ["mcp-gateway.config.json", ...inExamples];

test("the least configuration is among the examples", () => {
  expect(inExamples).toContain(join("examples", "minimal", "mcp-gateway.config.json"));
});

test.each(configs)(
  "%s has all its bundles and programs",
  async (config) => {
    const { code, stderr } = await runBin(["validate", config], freshEnvironment());
    expect(stderr).toMatch(/^\S+: valid \(.*\); \d bundles? loaded$/m);
    expect(stderr).not.toContain("warning");
    expect(code).toBe(0);
  },
  60_000,
);

test("the least configuration serves its tools, and its policy decides", async () => {
  const config = join(root, "examples", "minimal", "mcp-gateway.config.json");
  const client = await startRawClient(serveCommand(config));
  const call = async (name: string, args: object): Promise<string> =>
    JSON.stringify(await client.request("tools/call", { name, arguments: args }));
  expect(JSON.stringify(await client.request("tools/list"))).toContain('"notes__write_note"');
  expect(await call("notes__read_note", { path: "todo.md" })).toContain("Write a policy.");
  expect(await call("notes__write_note", { path: "todo.md", text: "Done." })).toContain("wrote");
  expect(await call("notes__write_note", { path: "handbook/welcome.md", text: "" })).toContain(
    "Denied by policy (handbook_is_read_only)",
  );
  const uri = "note:///handbook/welcome.md";
  expect(JSON.stringify(await client.request("resources/read", { uri }))).toContain("Coffee");
  await client.end();
}, 120_000);

test("every command of an example names files that are there", () => {
  const pages = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => readFileSync(join(root, "examples", path), "utf8"));
  const named = pages.flatMap((text) =>
    [...text.matchAll(/(?:^| )(examples\/\S+\.(?:json|js))/gm)].map(([, path = ""]) => path),
  );
  expect(named.length).toBeGreaterThan(2);
  const there = new Set(
    readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" }).map((path) =>
      join("examples", path),
    ),
  );
  expect(named.filter((path) => !there.has(path))).toEqual([]);
});
