/**
 * What the pages on libraries and on policies of other projects show is what is tested and shipped.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../support/gateway-process.ts";

function blocks(page: string, language: string): readonly string[] {
  const text = readFileSync(join(root, "docs", page), "utf8");
  const found = text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "gm"));
  return [...found].map(([, block = ""]) => block.trim());
}

function sources(folder: string, suffix: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => name.endsWith(suffix));
  return files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
}

const fixtures = join(root, "test", "fixtures", "policies");

describe("the page on policies of other projects", () => {
  const rego = blocks("existing-policies.md", "rego");
  const said = blocks("existing-policies.md", "json").filter((one) => one.includes("written_for"));

  test("shows policies that are compiled and asked", () => {
    expect(rego).toHaveLength(3);
    const compiled = sources(fixtures, ".rego");
    for (const policy of rego) expect(compiled).toContain(policy);
  });

  test.each(said)("shows what their manifests say: %s", (block) => {
    const manifests = ["conftest", "gatekeeper", "envoy"].map((name) =>
      JSON.parse(readFileSync(join(fixtures, name, ".manifest"), "utf8")),
    );
    const wanted = JSON.parse(`{ ${block} }`).written_for;
    expect(manifests.map(({ metadata }) => metadata.written_for)).toContainEqual(wanted);
  });
});

describe("the page on libraries", () => {
  test("shows the library of this package and the bundle that requires it", () => {
    const [library = "", requires = ""] = blocks("share-rules.md", "json");
    const manifestOf = (name: string): unknown =>
      JSON.parse(readFileSync(join(root, "bundles", name, ".manifest"), "utf8"));
    expect(manifestOf("lib-text")).toEqual(JSON.parse(library));
    expect(manifestOf("mail")).toMatchObject({ metadata: JSON.parse(`{ ${requires} }`) });
    const [, deny = ""] = (blocks("share-rules.md", "rego")[0] ?? "").split(/(?=deny)/);
    expect(sources(join(root, "bundles", "mail"), "policy.rego")).toContain(deny.trim());
  });
});
