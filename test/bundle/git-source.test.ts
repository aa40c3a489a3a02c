import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openArchive } from "../../src/bundle/archive.ts";
import type { FetchedBundle } from "../../src/bundle/sources/bundle-source.ts";
import { createGitSource } from "../../src/bundle/sources/git-source.ts";
import { parseGit } from "../../src/bundle/url-reference.ts";
import { buildSources } from "../../src/cli/bundle/build-sources.ts";
import { codeOf } from "../../src/errors.ts";
import { loadCrm, outcomeOf, registryOptions } from "../support/bundle-setting.ts";
import { createGitRepository } from "../support/git-repository.ts";
import { gitEnv, gitPolicy, idOf, openGit, rego } from "../support/git-setting.ts";

const { signal } = new AbortController();

async function fetchNow(reference: string): Promise<FetchedBundle> {
  const source = await openGit(reference);
  return await source.fetch({ id: idOf(await source.poll(undefined, signal)) }, signal);
}

const failureOf = async (reference: string): Promise<string | undefined> =>
  await fetchNow(reference).then(() => "ok", codeOf);

describe("a folder in a repository", () => {
  test("is fetched at the commit of its branch, with its sources alone", async () => {
    const { url, commit } = await createGitRepository();
    const id = await commit({
      ...gitPolicy,
      "servers/crm/README.md": "# crm",
      "servers/crm/policy.wasm": "not ours to trust",
      "servers/crm/lists/data.json": "{}",
      "servers/mail/policy.rego": "package mcp.mail",
    });
    const fetched = await fetchNow(`git+${url}#main:servers/crm`);
    expect(fetched).toMatchObject({ version: { id }, origin: "git", signed: undefined });
    expect([...openArchive(fetched.archive).keys()]).toEqual([
      ".manifest",
      "lists/data.json",
      "policy.rego",
    ]);
  });

  test("has the same digest wherever it is fetched", async () => {
    const { url, commit } = await createGitRepository();
    await commit(gitPolicy);
    const first = await fetchNow(`git+${url}#main:servers/crm`);
    await commit({ "other.txt": "x" });
    const second = await fetchNow(`git+${url}#main:servers/crm`);
    expect(second.version).not.toEqual(first.version);
    expect(second.digest).toBe(first.digest);
  });

  test("is compiled on arrival", async () => {
    const { url, commit } = await createGitRepository();
    const source = 'package mcp.crm\n\nallow if input.action.tool == "get"\n';
    await commit({ ...gitPolicy, "servers/crm/policy.rego": source });
    const result = await loadCrm(`git+${url}#main:servers/crm`, {
      env: gitEnv,
      compile: buildSources,
    });
    if (!result.ok) throw result.error;
    expect(result.bundle).toMatchObject({ revision: "7", origin: "git" });
  }, 60_000);

  test("is polled by ls-remote: unchanged until its branch moves", async () => {
    const { url, commit } = await createGitRepository();
    const id = await commit(gitPolicy);
    const source = await openGit(`git+${url}#main:servers/crm`);
    expect(await source.poll({ id }, signal)).toEqual({ kind: "unchanged", waited: false });
    const next = await commit({ "servers/crm/policy.rego": `${rego}# more\n` });
    expect(idOf(await source.poll({ id }, signal))).toBe(next);
    // What was polled before can still be had.
    expect((await source.fetch({ id }, signal)).version.id).toBe(id);
  });

  test("may be named by tag, annotated or not, by HEAD and by commit", async () => {
    const { url, commit, git } = await createGitRepository();
    const id = await commit(gitPolicy);
    await git("tag", "light");
    await git("tag", "--annotate", "--message=x", "heavy");
    await commit({ "later.txt": "x" });
    for (const ref of ["light", "heavy", "refs/tags/heavy", id]) {
      const source = await openGit(`git+${url}#${ref}:servers/crm`);
      expect(idOf(await source.poll(undefined, signal))).toBe(id);
      expect(source.isFixed).toBe(ref === id);
    }
    expect(idOf(await (await openGit(`git+${url}`)).poll(undefined, signal))).not.toBe(id);
  });

  test("named by a pinned commit is asked for at the network only when it is fetched", async () => {
    const pinned = "a".repeat(40);
    const source = await openGit(`git+https://127.0.0.1:1/x#${pinned}:a`);
    expect(idOf(await source.poll(undefined, signal))).toBe(pinned);
  });
});

describe("a repository that is not as it should be", () => {
  test("has a ref that is a branch and a tag refused", async () => {
    const { url, commit, git } = await createGitRepository();
    await commit(gitPolicy);
    await git("tag", "main");
    await commit({ "x.txt": "x" });
    expect(await failureOf(`git+${url}#main:servers/crm`)).toBe("bundle_reference_invalid");
    expect(await failureOf(`git+${url}#refs/heads/main:servers/crm`)).toBe("ok");
  });

  test("has a branch that only ends alike passed over", async () => {
    const { url, commit, git } = await createGitRepository();
    await commit(gitPolicy);
    await git("branch", "evil/release");
    expect(await failureOf(`git+${url}#release:servers/crm`)).toBe("bundle_not_found");
  });

  test.each([
    ["a branch that is not there", "#other:servers/crm", "bundle_not_found"],
    ["a folder that is not there", "#main:servers/mail", "bundle_without_policy"],
    ["a file in place of a folder", "#main:servers/crm/policy.rego", "bundle_not_found"],
    ["a commit that is not there", `#${"a".repeat(40)}:servers/crm`, "bundle_not_found"],
  ])("has %s refused", async (_, suffix, code) => {
    const { url, commit } = await createGitRepository();
    await commit(gitPolicy);
    expect(await failureOf(`git+${url}${suffix}`)).toBe(code);
  });

  test("that is not there is not found", async () => {
    expect(await failureOf("git+file:///nowhere/at/all#main")).toBe("bundle_not_found");
  });

  test("that is on a server that is away is unreachable", async () => {
    expect(await failureOf("git+https://127.0.0.1:1/x.git#main")).toBe("bundle_unreachable");
  });

  test.each([
    ["a link to a file", "servers/crm/more.rego", "/etc/passwd"],
    ["a link to a folder", "servers/crm/lists", "../../secrets"],
    ["a link in place of the folder", "servers/linked", "crm"],
  ])("has %s refused", async (_, path, target) => {
    const { url, commit, folder } = await createGitRepository();
    await commit(gitPolicy);
    await symlink(target, join(folder, path));
    await commit({});
    const wanted = path === "servers/linked" ? "servers/linked" : "servers/crm";
    expect(await failureOf(`git+${url}#main:${wanted}`)).toBe("bundle_archive_unsafe");
  });

  test("has a submodule in the folder refused, and nobody visits it", async () => {
    const inner = await createGitRepository();
    const id = await inner.commit({ "policy.rego": "package x" });
    const { url, commit, git, folder } = await createGitRepository();
    await commit(gitPolicy);
    const text = `[submodule "x"]\n\tpath = servers/crm/x\n\turl = ${inner.url}\n`;
    await writeFile(join(folder, ".gitmodules"), text);
    await git("add", ".gitmodules");
    await git("update-index", "--add", "--cacheinfo", `160000,${id},servers/crm/x`);
    await git("commit", "--quiet", "--message=submodule");
    expect(await failureOf(`git+${url}#main:servers/crm`)).toBe("bundle_archive_unsafe");
  });

  test("that sends more than the limit is stopped", async () => {
    const { url, commit } = await createGitRepository();
    await commit(gitPolicy);
    const reference = parseGit(`git+${url}#main:servers/crm`);
    const outcome = async (maxPackBytes: number): Promise<string | undefined> => {
      const source = createGitSource(reference, {
        registry: registryOptions(),
        env: gitEnv,
        maxPackBytes,
      });
      const id = idOf(await source.poll(undefined, signal));
      return await source.fetch({ id }, signal).then(() => "ok", codeOf);
    };
    expect(await outcome(100)).toBe("bundle_too_large");
    expect(await outcome(100_000)).toBe("ok");
  });
});

test("a delta bundle in a repository is refused", async () => {
  const { url, commit } = await createGitRepository();
  await commit({ ...gitPolicy, "servers/crm/patch.json": '{"data":[]}' });
  const load = loadCrm(`git+${url}#main:servers/crm`, { env: gitEnv, compile: buildSources });
  expect(await outcomeOf(load)).toBe("bundle_artifact_unsupported");
});
