/**
 * The policy sources in one commit, read from git's objects and never checked out: there is no
 * working tree in which a link, a hook or a filter could do anything. Takes Rego, data and the
 * manifest of one folder; a link or submodule in that folder is refused.
 */
import { archiveLimits } from "../archive.ts";
import { BundleError, unexpected } from "../bundle-error.ts";
import type { GitOptions } from "./git-program.ts";
import { runGit } from "./git-program.ts";

interface TreeEntry {
  readonly mode: string;
  readonly id: string;
  readonly size: number;
  /** Below the folder. */
  readonly path: string;
}

const maxListBytes = 8 * 1024 * 1024;
const entryShape = /^(\d{6}) (\w+) ([0-9a-f]{40,64}) +(\d+|-)\t(.+)$/s;
const sourceFile = /\.rego$|(?:^|\/)data\.(?:json|ya?ml)$|(?:^|\/)patch\.json$/;

/**
 * Reads the sources of a folder.
 *
 * @param commit - id of a commit that the repository has
 * @param folder - without leading and closing slash; empty for the whole repository
 * @throws BundleError
 */
export async function readGitTree(
  repository: string,
  commit: string,
  folder: string,
  options: GitOptions,
): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await listEntries(repository, commit, folder, options);
  const sources = entries.filter(({ path }) => sourceFile.test(path) || path === ".manifest");
  if (!sources.some(({ path }) => path.endsWith(".rego"))) {
    const place = folder === "" ? "the repository" : `folder "${folder}"`;
    const found = `${entries.length} other files`;
    throw unexpected("bundle_without_policy", options.where, `Rego sources in ${place}`, found);
  }
  refuseLarge(sources, options.where);
  return await readBlobs(repository, sources, options);
}

async function listEntries(
  repository: string,
  commit: string,
  folder: string,
  options: GitOptions,
): Promise<readonly TreeEntry[]> {
  const paths = folder === "" ? [] : [folder];
  const args = ["ls-tree", "-r", "-z", "--long", "--full-tree", commit, "--", ...paths];
  const listing = await runGit(["--git-dir", repository, ...args], options, {
    maxBytes: maxListBytes,
  });
  const prefix = folder === "" ? "" : `${folder}/`;
  const lines = listing
    .toString("utf8")
    .split("\0")
    .filter((line) => line !== "");
  return lines.map((line) => readEntry(line, prefix, options.where));
}

function readEntry(line: string, prefix: string, where: string): TreeEntry {
  const [, mode = "", type = "", id = "", size = "", path = ""] = entryShape.exec(line) ?? [];
  const shown = JSON.stringify(path.slice(0, 200));
  if (mode === "120000") {
    throw unexpected("bundle_archive_unsafe", where, "regular files", `a symbolic link ${shown}`);
  }
  if (type !== "blob") {
    throw unexpected("bundle_archive_unsafe", where, "regular files", `a submodule ${shown}`);
  }
  if (!path.startsWith(prefix)) {
    throw unexpected("bundle_not_found", where, "a folder", `a file ${shown}`);
  }
  return { mode, id, size: Number(size), path: path.slice(prefix.length) };
}

function refuseLarge(sources: readonly TreeEntry[], where: string): void {
  const bytes = sources.reduce((sum, { size }) => sum + size, 0);
  if (sources.length <= archiveLimits.files && bytes <= archiveLimits.unpackedBytes) return;
  const most = `at most ${archiveLimits.files} sources of together ${archiveLimits.unpackedBytes} bytes`;
  throw new BundleError("bundle_too_large", `${where}: expected ${most}, found more`);
}

/** All at once through `cat-file --batch`: a header line, the content and a newline for each. */
async function readBlobs(
  repository: string,
  sources: readonly TreeEntry[],
  options: GitOptions,
): Promise<ReadonlyMap<string, Buffer>> {
  const headers = 128 * sources.length;
  const output = await runGit(["--git-dir", repository, "cat-file", "--batch"], options, {
    maxBytes: sources.reduce((sum, { size }) => sum + size, headers),
    input: sources.map(({ id }) => `${id}\n`).join(""),
  });
  const files = new Map<string, Buffer>();
  let offset = 0;
  for (const { id, size, path } of sources) {
    const header = `${id} blob ${size}\n`;
    const start = offset + header.length;
    if (output.toString("latin1", offset, start) !== header) {
      const found = "another answer of git";
      throw unexpected("bundle_protocol_invalid", options.where, `the content of ${path}`, found);
    }
    files.set(path, output.subarray(start, start + size));
    offset = start + size + 1;
  }
  return files;
}
