/**
 * What the page on classes and flows shows is what ships.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveDetectors } from "../../src/config/classification-schema.ts";
import { root } from "../support/gateway-process.ts";

const page = readFileSync(join(root, "docs", "classify-data.md"), "utf8");
const policy = readFileSync(join(root, "bundles", "compliance", "policy.rego"), "utf8");
const library = readFileSync(
  join(root, "bundles", "lib-toxic-flows", "toxic_flows_test.rego"),
  "utf8",
);

test("the rule is the one of the compliance bundle", () => {
  const [, shown = ""] = /```rego\n([\s\S]*?)```/.exec(page) ?? [];
  const parts = shown.trim().split("\n\n");
  expect(parts).toHaveLength(2);
  for (const part of parts) expect(policy).toContain(part);
});

test("the table has every detector with its class", () => {
  const rows = [...page.matchAll(/^\| `([a-z_]+)` \| .+ \| `([a-z_]+)` \|$/gm)];
  const classes = rows.map(([, kind, name]) => [kind, name]);
  expect(classes).toEqual([...resolveDetectors(undefined, undefined)]);
});

test("the sentence about the flow is worded as the library words it", () => {
  const words = "mail: send_email is a way out";
  expect(page).toContain(words);
  expect(library).toContain(words);
});
