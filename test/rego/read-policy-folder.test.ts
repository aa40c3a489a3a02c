import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { buildPolicyFolder } from "../../src/rego/build-policy-folder.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { readPolicyFolder } from "../../src/rego/read-policy-folder.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

function write(files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

const policy = "package mcp.crm\n\ndeny contains 1 if true\n";

test("modules, data by folder, and the manifest are read; everything else is listed", async () => {
  write({
    "crm.rego": policy,
    "lib/text.rego": "package mcp.crm.text\n",
    "data.json": '{"a": 1}',
    "mcp/crm/data.yaml": "scopes: [support]\n",
    ".manifest": '{"revision": "1", "roots": ["mcp"], "metadata": {"name": "crm"}}',
    "README.md": "# crm",
    "nested/.manifest": "{}",
  });
  symlinkSync("/etc/hostname", join(folder, "link.rego"));
  expect(await readPolicyFolder(folder)).toEqual({
    modules: { "crm.rego": policy, "lib/text.rego": "package mcp.crm.text\n" },
    data: { a: 1, mcp: { crm: { scopes: ["support"] } } },
    manifest: { revision: "1", roots: ["mcp"], metadata: { name: "crm" } },
    ignored: ["README.md", "link.rego (not a regular file)", "nested/.manifest"],
  });
});

describe("a folder that cannot be read says which file and why", () => {
  test.each([
    ["no Rego", { "data.json": "{}" }, /expected a policy \(\*\.rego\), found 1 other files/],
    ["broken JSON", { "data.json": "{" }, /data\.json: expected JSON: /],
    ["broken YAML", { "data.yaml": "a: [" }, /data\.yaml: expected YAML/],
    ["data that is no object", { "data.json": "[]" }, /data\.json: expected an object/],
    [
      "a value in two files",
      { "data.json": '{"a":{"b":1}}', "a/data.json": '{"b":2}' },
      /found "b" in two/,
    ],
    ["a large integer", { "data.json": '{"id": 9007199254740993}' }, /integers within ±2\^53/],
    ["broken UTF-8", { "x.rego": Uint8Array.of(0xff) }, /x\.rego: expected UTF-8 text/],
    ["a manifest that is no JSON", { ".manifest": "roots:" }, /\.manifest: expected JSON/],
    ["an unknown key", { ".manifest": '{"rots": []}' }, /\.manifest: Unrecognized key: "rots"/],
    [
      "a wrong type",
      { ".manifest": '{"roots": "mcp"}' },
      /\.manifest: .*expected array.* at roots/,
    ],
  ])("%s", async (name, files, expected) => {
    write(name === "no Rego" ? files : { "p.rego": policy, ...files });
    const read = readPolicyFolder(folder);
    await expect(read).rejects.toMatchObject({ code: "rego_invalid" });
    await expect(read).rejects.toThrow(expected);
  });

  test("a folder that is not there", async () => {
    await expect(readPolicyFolder(join(folder, "none"))).rejects.toThrow(/found none \(ENOENT\)/);
  });
});

test("a folder is built for the layer that it is to be used as", async () => {
  write({ "crm.rego": policy, ".manifest": '{"metadata": {"layer": "workflow"}}' });
  expect((await buildPolicyFolder(toolchain, folder, "workflow")).layer).toBe("workflow");
  await expect(buildPolicyFolder(toolchain, folder, "server")).rejects.toMatchObject({
    code: "rego_invalid",
    message: expect.stringContaining('expected a bundle for layer "server"'),
  });
});

test("what is wrong with a folder's policy is one error with every place", async () => {
  write({ "a.rego": "package p\n\ndenies contains 1 if true\n\nallowed contains 1 if true\n" });
  const built = buildPolicyFolder(toolchain, folder);
  await expect(built).rejects.toMatchObject({
    code: "rego_invalid",
    problems: [{ row: 3 }, { row: 5 }],
  });
  await expect(built).rejects.toThrow(`${folder}/a.rego:5:1: rule allowed`);
});
