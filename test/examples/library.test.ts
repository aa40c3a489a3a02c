/**
 * The tables of this package hold: the questions that teams ask of the libraries, and the demo. A
 * policy that answers otherwise fails its case.
 */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { runCli } from "../support/cli-run.ts";
import { root } from "../support/gateway-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const limit = { timeout: 600_000 };
const example = join(root, "examples", "library");

async function tested(...args: readonly string[]) {
  const home = temporaryFolder();
  const env = { HOME: home, XDG_CACHE_HOME: join(home, "cache"), PATH: process.env["PATH"] ?? "" };
  return await runCli(["policy", "test", "--stack", "-o", "json", ...args], root, env);
}

test("every question of the example is answered as its table says", limit, async () => {
  const outcome = await tested("-c", join(example, "stack.config.json"));
  expect(outcome.err).toMatch(/^\d+ passed, 0 failed$/);
  const { cases } = parse(readFileSync(join(example, "questions.stack.yaml"), "utf8"));
  expect(JSON.parse(outcome.out).items).toHaveLength(cases.length);
  expect(outcome.exitCode).toBe(0);
});

test("the demo does what its table says", limit, async () => {
  const outcome = await tested(join(root, "examples", "demo", "demo.stack.yaml"));
  expect(outcome).toMatchObject({ exitCode: 0, err: "8 passed, 0 failed" });
});

test("a policy that changes its mind fails the cases that it was asked for", limit, async () => {
  const folder = temporaryFolder();
  cpSync(join(root, "bundles"), join(folder, "bundles"), { recursive: true });
  const copy = join(folder, "examples", "library");
  cpSync(example, copy, { recursive: true });
  const settings = join(copy, "policies", "payments", "data.json");
  const text = readFileSync(settings, "utf8");
  writeFileSync(settings, text.replace('"largest_refund": 500', '"largest_refund": 5000'));
  const outcome = await tested("-c", join(copy, "stack.config.json"));
  expect(outcome.exitCode).toBe(4);
  const failed = JSON.parse(outcome.out).items.filter(
    (item: { readonly outcome: string }) => item.outcome === "fail",
  );
  expect(failed.map((item: { readonly name: string }) => item.name)).toEqual([
    "A cent more waits for a person",
  ]);
});

test("every case of the example belongs to a question that its page asks", () => {
  const page = readFileSync(join(example, "README.md"), "utf8");
  const table = readFileSync(join(example, "questions.stack.yaml"), "utf8");
  const asked = [...table.matchAll(/^ {2}# .*? asks?: (.*)$/gm)].map(
    ([, question = ""]) => question,
  );
  expect(asked.length).toBeGreaterThan(5);
  for (const question of asked) expect(page.toLowerCase()).toContain(question.toLowerCase());
});
