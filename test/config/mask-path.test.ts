import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as z from "zod";
import { load, minimal, problemsOf } from "./support.ts";

const masking = (settings: object) => ({ ...minimal, decisions: { masking: settings } });

const badPaths: readonly (readonly [path: string, said: string])[] = [
  ["input/action", "expected a JSON pointer"],
  ["/input/action/args/a~2b", "expected a JSON pointer"],
  ["/input/action//a", "expected a JSON pointer"],
  ["", "expected a JSON pointer"],
  ["/output/x", 'expected first one of input, result, nd_builtin_cache, found "output"'],
  ["/input", "expected something below /input"],
  ["/*", "expected something below /*"],
  ["/input/actoin/args/password", 'found "actoin"'],
  ["/input/action/arguments/password", 'found "arguments"'],
  ["/input/agent/Password", 'found "Password"'],
  ["/result/allow", "expected below /result one of reasons, remediation, metadata"],
];

test.each(badPaths)("the path %j, which can name nothing, is refused", (path, said) => {
  const [problem = "", ...more] = problemsOf(masking({ paths: ["/result/remediation", path] }));
  expect(more).toEqual([]);
  expect(problem).toContain("decisions.masking.paths.1");
  expect(problem).toContain(said);
  expect(problem).toContain(JSON.stringify(path));
  expect(problem).toContain("/input/action/args/password");
});

test.each([
  "/input/action/args/password",
  "/input/action/args/*/a~1b",
  "/input/*/args/nobody/has/sent/this",
  "/*/action/args/pin",
  "/input/result/anything",
  "/input/user/id",
  "/result/remediation",
  "/result/metadata/appeal_path",
  "/nd_builtin_cache/rand.intn/*",
])("the path %j is taken, whatever it has named so far", (path) => {
  expect(load(masking({ paths: [path] })).config.decisions.masking.paths).toEqual([path]);
});

const inputSchema = z.object({ properties: z.record(z.string(), z.unknown()) });

test.each([[], ["agent"], ["user"], ["action"]])(
  "every member of input %j that policies see can be masked",
  (...names: readonly string[]) => {
    const file: unknown = JSON.parse(readFileSync("schema/input.schema.json", "utf8"));
    const seen = names.reduce(
      (at, name) => inputSchema.parse(at.properties[name]),
      inputSchema.parse(file),
    );
    const paths = Object.keys(seen.properties).map((name) =>
      ["", "input", ...names, name].join("/"),
    );
    expect(paths.length).toBeGreaterThan(2);
    expect(load(masking({ paths })).config.decisions.masking.paths).toEqual(paths);
  },
);
