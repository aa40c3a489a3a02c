import { expect, test } from "vitest";
import { openBundle } from "../../src/bundle/open-bundle.ts";
import { isOpaque } from "../../src/bundle/is-opaque.ts";
import { codeOf } from "../../src/errors.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";

const entrypoints = { decision: "mcp/crm/decision", classify: undefined, visibility: undefined };

function judge(source: string, decision = "mcp/crm/decision"): boolean {
  return isOpaque({ ...entrypoints, decision }, new Map([["a.rego", source]]));
}

test.each([
  ["a value", "package mcp.crm\n\ndecision := {}\n"],
  ["a set", "package mcp.crm\n\ndecision contains 1 if input.x\n"],
  ["a default", "package mcp.crm\n\ndefault decision := false\n"],
  ["another file's rule beside it", "package mcp.crm # x\n\nx := `\n}`\n\n\tdecision if { x }\n"],
])("sources that define the entrypoint as %s are sources", (_, source) => {
  expect(judge(source)).toBe(false);
});

test.each([
  ["none", ""],
  ["another package", "package mcp.mail\n\ndecision := {}\n"],
  ["other rules", "package mcp.crm\n\nallow := true\n"],
  ["a comment", "package mcp.crm\n\n# decision := {}\nx := 1\n"],
  ["a text", "package mcp.crm\n\nx := `\ndecision := {}\n`\n"],
  ["a line of another rule", "package mcp.crm\n\nx if {\n\tdecision\n}\n"],
  ["a word in a string", 'package mcp.crm\n\nx := "\\"\n" # "\n'],
])("sources with %s of that name are none", (_, source) => {
  expect(judge(source)).toBe(true);
});

test("a package is defined by any rule of it, which opa build takes out of it", () => {
  expect(judge("package main\n\ndeny contains 1 if input.x\n", "main")).toBe(false);
  expect(judge("package main\n\nimport data.lib\n", "main")).toBe(true);
});

test("every entrypoint that is asked has to be there", () => {
  const sources = new Map([["a.rego", "package mcp.crm\n\ndecision := {}\n"]]);
  const visibility = "mcp/crm/visibility";
  expect(isOpaque({ ...entrypoints, visibility }, sources)).toBe(true);
});

test("a bundle without its sources is refused, unless somebody accepts that", async () => {
  const about = {
    name: "crm",
    kind: "server",
    reference: "oci-layout:/dist:crm",
    digest: `sha256:${"1".repeat(64)}`,
    origin: "layout",
  } as const;
  const files = tinyFiles({ name: "crm" }, { "policy.rego": undefined });
  for (const opaque of [undefined, "refuse"] as const) {
    const refused = await openBundle(files, { ...about, opaque }, undefined).catch(codeOf);
    expect(refused).toBe("bundle_opaque");
  }
  expect(await openBundle(files, { ...about, opaque: "accept" }, undefined)).toMatchObject({
    isOpaque: true,
  });
  expect(await openBundle(tinyFiles(), about, undefined)).toMatchObject({ isOpaque: false });
});
