/**
 * Which commit a folder of sources stands at, asked of the `git` program without letting the
 * machine's configuration have a say. That there is no answer is no failure: sources need no Git.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BundleError } from "../bundle-error.ts";
import { runGit } from "../sources/git-program.ts";
import type { GitOrigin } from "./provenance.ts";

const maxStatusBytes = 16 * 1024 * 1024;
const deadlineMs = 30_000;

/**
 * Asks for the commit, and whether the sources are what is in it.
 *
 * @param names - the sources, by path in the folder with forward slashes
 * @param env - of the command; git gets `PATH` of it
 * @returns `undefined` where the folder is in no work tree with a commit, or git may not read it
 */
export async function findGitOrigin(
  folder: string,
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<GitOrigin | undefined> {
  const home = await mkdtemp(join(tmpdir(), "mcp-gateway-git-"));
  const signal = AbortSignal.timeout(deadlineMs);
  const options = { protocol: "file", home, env, settings: [], signal, where: folder } as const;
  // A look at a work tree must not write to it.
  const git = async (...args: readonly string[]): Promise<string> => {
    const whole = ["--no-optional-locks", "-C", folder, ...args];
    return (await runGit(whole, options, { maxBytes: maxStatusBytes })).toString("utf8");
  };
  try {
    const commit = (await git("rev-parse", "--verify", "HEAD")).trim();
    const prefix = (await git("rev-parse", "--show-prefix")).replace(/\n$/, "");
    const status = ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all"];
    const changes = await git(...status, "--ignored", "--", ".");
    const sources = new Set(names.map((name) => `${prefix}${name}`));
    return { commit, path: prefix.replace(/\/$/, ""), isDirty: isDirty(changes, sources) };
  } catch (thrown) {
    if (thrown instanceof BundleError) return undefined;
    throw thrown;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** A source that is not as in the commit, or one of the commit that is gone. */
function isDirty(changes: string, sources: ReadonlySet<string>): boolean {
  return changes.split("\0").some((line) => {
    const isGone = line[0] === "D" || line[1] === "D";
    const path = line.slice(3);
    return (
      sources.has(path) || (isGone && /(?:\.rego|\.manifest|data\.(?:json|ya?ml))$/.test(path))
    );
  });
}
