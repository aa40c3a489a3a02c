import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { actionTypes } from "../../src/contract/policy-input.ts";
import { subjectName } from "../../src/gateway/visibility.ts";
import { matchesToolPattern } from "../../src/policy/combine/match-pattern.ts";
import { freshEnvironment, root, runBin } from "../support/gateway-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const guide = readFileSync(join(root, "docs", "write-a-policy.md"), "utf8");
const folder = join("examples", "policy", "notes");

test("the policy of the guide is in order, and its tests pass", async () => {
  expect(await runBin(["policy", "check", folder], freshEnvironment())).toMatchObject({ code: 0 });
  const tested = await runBin(["policy", "test", folder], freshEnvironment());
  expect(tested).toMatchObject({ code: 0, stderr: expect.stringContaining("8 passed, 0 failed") });
}, 120_000);

test("the least configuration is shown as it is", () => {
  const file = join("examples", "minimal", "mcp-gateway.config.json");
  const page = readFileSync(join(root, "docs", "configure.md"), "utf8");
  expect(page).toContain(readFileSync(join(root, file), "utf8").trimEnd());
});

test("the guide shows rules and the manifest as they are", () => {
  const rego = readFileSync(join(root, folder, "policy.rego"), "utf8");
  const extracts = [...guide.matchAll(/```rego\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  expect(extracts).toHaveLength(3);
  for (const extract of extracts) expect(rego).toContain(extract);
  expect(guide).toContain(readFileSync(join(root, folder, ".manifest"), "utf8").trimEnd());
});

test("a slip in METADATA is refused as the guide shows", async () => {
  const copy = join(temporaryFolder(), "notes");
  cpSync(join(root, folder), copy, { recursive: true });
  const path = join(copy, "policy.rego");
  writeFileSync(path, readFileSync(path, "utf8").replace("[resource_read,", "[resource_reed,"));
  const { code, stderr } = await runBin(["policy", "check", copy], freshEnvironment());
  expect(code).toBe(3);
  expect(guide).toContain(stderr.trim().replace(`${dirname(copy)}/`, ""));
}, 60_000);

test("the guide names every type of action", () => {
  for (const type of actionTypes) expect(guide).toContain(`\`${type}\``);
});

test("patterns mean what the guide says", () => {
  const rows = [...guide.matchAll(/^\| `([^`]+)` \| (.*) \| (.*) \|$/gm)].filter(
    ([, , , other = ""]) => other === "–" || other.startsWith("`"),
  );
  const subject = /^`([^`]+)`(?: of `([^`]+)`)?/;
  const doesMean = (pattern: string, cell: string): boolean => {
    const [, name = "", server = "any"] = subject.exec(cell) ?? [];
    return matchesToolPattern(pattern, server, name);
  };
  const patterns = rows.filter(([, pattern = ""]) => /[*/]/.test(pattern));
  expect(patterns).toHaveLength(6);
  const means = patterns.map(([, pattern = "", cell = ""]) => doesMean(pattern, cell));
  const others = patterns.map(
    ([, pattern = "", , cell = ""]) => cell !== "–" && doesMean(pattern, cell),
  );
  expect(means).toEqual([true, true, true, true, true, true]);
  expect(others).toEqual([false, false, false, false, false, false]);
  expect(subjectName("elicitation", "elicitation/create")).toBe("elicitation:elicitation/create");
  expect(subjectName("resource_read", "note:///a")).toBe("resource_read:note:///a");
  expect(subjectName("task_get", "read_note")).toBe("read_note");
});
