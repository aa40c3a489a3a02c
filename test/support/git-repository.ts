/**
 * A Git repository in a temporary folder, made by the real program with an identity and a time of
 * its own.
 */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { temporaryFolder } from "./temporary-folder.ts";

export interface GitRepository {
  readonly folder: string;
  /** `file:///…` */
  readonly url: string;
  /** Runs git in it and gives its output without the last newline. */
  readonly git: (...args: readonly string[]) => Promise<string>;
  /** Writes files, commits everything, and gives the commit's id. */
  readonly commit: (files: Readonly<Record<string, string>>) => Promise<string>;
}

/** An empty repository on the branch `main`. */
export async function createGitRepository(): Promise<GitRepository> {
  const folder = temporaryFolder();
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "test",
    GIT_AUTHOR_EMAIL: "test@example.invalid",
    GIT_COMMITTER_NAME: "test",
    GIT_COMMITTER_EMAIL: "test@example.invalid",
  };
  const git = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)("git", [...args], { cwd: folder, env });
    return stdout.trimEnd();
  };
  await git("init", "--quiet", "--initial-branch=main");
  const commit = async (files: Readonly<Record<string, string>>): Promise<string> => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    await git("add", "--all");
    await git("commit", "--quiet", "--allow-empty", "--message=policies");
    return await git("rev-parse", "HEAD");
  };
  return { folder, url: pathToFileURL(folder).href, git, commit };
}
