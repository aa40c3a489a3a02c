import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findGitOrigin } from "../../../src/bundle/publish/work-tree.ts";
import { createGitRepository } from "../../support/git-repository.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const env = { PATH: process.env["PATH"] };
const names = ["policy.rego"];

describe("the commit of a folder of sources", () => {
  test("is clean until one of the sources differs from it", async () => {
    const { commit, folder } = await createGitRepository();
    const id = await commit({ "a/policy.rego": "package a\n", "b/policy.rego": "package b\n" });
    const find = async () => await findGitOrigin(join(folder, "a"), names, env);
    expect(await find()).toEqual({ commit: id, path: "a", isDirty: false });
    await writeFile(join(folder, "b", "policy.rego"), "package changed\n");
    await writeFile(join(folder, "a", "notes.txt"), "no source\n");
    expect(await find()).toMatchObject({ isDirty: false });
    await writeFile(join(folder, "a", "policy.rego"), "package changed\n");
    expect(await find()).toMatchObject({ commit: id, isDirty: true });
  });

  test("is dirty with a source that is new, ignored or gone", async () => {
    const { commit, folder } = await createGitRepository();
    await commit({
      "policy.rego": "package a\n",
      "x.rego": "package a\n",
      ".gitignore": "data.json\n",
    });
    const find = async (...more: readonly string[]) =>
      (await findGitOrigin(folder, [...names, ...more], env))?.isDirty;
    expect(await find("x.rego")).toBe(false);
    await writeFile(join(folder, "data.json"), "{}");
    expect([await find("x.rego"), await find("x.rego", "data.json")]).toEqual([false, true]);
    await rm(join(folder, "x.rego"));
    expect(await find()).toBe(true);
  });

  test("is asked for without writing to the work tree", async () => {
    const { commit, folder } = await createGitRepository();
    await commit({ "policy.rego": "package a\n" });
    const index = join(folder, ".git", "index");
    const before = await readFile(index);
    await writeFile(join(folder, "policy.rego"), "package a\n");
    await findGitOrigin(folder, names, env);
    expect(await readFile(index)).toEqual(before);
  });

  test("is none outside of a work tree, before the first commit, and without git", async () => {
    expect(await findGitOrigin(temporaryFolder(), names, env)).toBeUndefined();
    const { commit, folder } = await createGitRepository();
    expect(await findGitOrigin(folder, names, env)).toBeUndefined();
    await commit({ "policy.rego": "package a\n" });
    expect(await findGitOrigin(folder, names, { PATH: "/nowhere" })).toBeUndefined();
  });
});
