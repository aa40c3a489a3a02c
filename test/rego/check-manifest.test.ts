/**
 * What `policy check` finds in a manifest by holding it against the rules and the input document.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { PolicyManifest } from "../../src/rego/create-rego-toolchain.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { problemText } from "../../src/rego/problem-text.ts";
import { readPolicyFolder } from "../../src/rego/read-policy-folder.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

async function problemsOf(rego: string, manifest: PolicyManifest): Promise<readonly string[]> {
  const sources = { modules: { "p.rego": rego }, manifest };
  const [checked, built] = [await toolchain.check(sources), await toolchain.build(sources)];
  const problems = checked.ok ? [] : checked.problems.map((problem) => problemText(problem));
  expect(built.ok).toBe(checked.ok);
  return problems;
}

describe("a rule that reads a counter", { timeout: 60_000 }, () => {
  const counters = { refunds_per_day: { key: ["user"], limit: 500 } };
  const policy = (read: string): string => `package p\n\ndeny contains "x" if ${read}\n`;

  test.each([
    "input.usage.refunds_per_day.used > 1",
    'input.usage["refunds_per_day"].remaining < 3',
    "input.usage[_].limit == 500",
    'input.usage.refunds_per_day.resets_at == "2026-11-23T00:00:00Z"',
  ])("reads one that is declared: %s", async (read) => {
    expect(await problemsOf(policy(read), { metadata: { counters } })).toEqual([]);
  });

  test.each([
    ["input.usage.refunds_per_dy.used > 1", "input.usage.refunds_per_dy"],
    ["input.usage.refunds_per_day.usd > 1", "input.usage.refunds_per_day.usd"],
  ])("is refused with a name that nobody declared: %s", async (read, found) => {
    const [problem = "", ...more] = await problemsOf(policy(read), { metadata: { counters } });
    expect(problem).toContain(`undefined ref: ${found}`);
    expect(more).toEqual([]);
  });
});

describe("a library", { timeout: 60_000 }, () => {
  const rego = "package lib.text\n\nis_short(text) if count(text) < 10\n";
  const library = (name: string): PolicyManifest => ({
    roots: ["lib/text"],
    metadata: { name, layer: "library" },
  });

  test("has a name that a policy can require", async () => {
    expect(await problemsOf(rego, library("lib-text"))).toEqual([]);
    const [problem = ""] = await problemsOf(rego, library("text"));
    expect(problem).toContain("metadata.name: expected lib- and up to 28 of a-z, 0-9 and -");
    expect(problem).toContain('found "text"');
  });
});

describe("the object that a policy of another project judges", { timeout: 60_000 }, () => {
  const rego = 'package main\n\ndeny contains "x" if input.kind == "Pod"\n';
  const written = (object: string): PolicyManifest => ({
    metadata: { written_for: { project: "conftest", object } },
  });

  test.each(["action.args", "action.args.manifest", "context", "result"])(
    "is at a path that there can be: %s",
    async (object) => {
      expect(await problemsOf(rego, written(object))).toEqual([]);
    },
  );

  test.each([
    ["action.arg.manifest", 'below input.action, found "arg"; did you mean args?'],
    ["acton.args", 'below input, found "acton"; did you mean action?'],
  ])("is refused elsewhere: %s", async (object, message) => {
    const [problem = ""] = await problemsOf(rego, written(object));
    expect(problem).toContain(message);
    expect(problem).toContain("metadata.written_for.object: expected one of ");
  });
});

test("what belongs under metadata is refused at the top, with where to write it", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "p.rego"), 'package p\n\ndeny contains "x"\n');
  writeFileSync(join(folder, ".manifest"), JSON.stringify({ written_for: "envoy", other: 1 }));
  await expect(readPolicyFolder(folder)).rejects.toThrow('write written_for under "metadata"');
});
