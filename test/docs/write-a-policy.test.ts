import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freshEnvironment, root, runBin } from "../support/gateway-process.ts";

const folder = join("examples", "policy", "notes");

test("the policy of the guide is in order, and its tests pass", async () => {
  expect(await runBin(["policy", "check", folder], freshEnvironment())).toMatchObject({ code: 0 });
  const tested = await runBin(["policy", "test", folder], freshEnvironment());
  expect(tested).toMatchObject({ code: 0, stderr: expect.stringContaining("5 passed, 0 failed") });
});

test("the least configuration is valid, and the page shows it as it is", async () => {
  const file = join("examples", "minimal", "mcp-gateway.config.json");
  expect(await runBin(["validate", file], freshEnvironment())).toMatchObject({ code: 0 });
  const page = readFileSync(join(root, "docs", "configure.md"), "utf8");
  expect(page).toContain(readFileSync(join(root, file), "utf8").trimEnd());
});

test("the guide shows the rule and the manifest as they are", () => {
  const guide = readFileSync(join(root, "docs", "write-a-policy.md"), "utf8");
  const rego = readFileSync(join(root, folder, "policy.rego"), "utf8");
  const rule = rego.slice(
    rego.indexOf("# METADATA\n# title: The handbook"),
    rego.indexOf("is_outside_handbook(path) if"),
  );
  expect(guide).toContain(rule.trimEnd());
  expect(guide).toContain(readFileSync(join(root, folder, ".manifest"), "utf8").trimEnd());
});
