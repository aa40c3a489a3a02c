/**
 * A folder in a Git repository as a source: `ls-remote` says which commit a ref stands for, and that
 * commit alone is fetched, shallow, into a private folder that is gone afterwards. What it holds are
 * sources, to be compiled on arrival.
 */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf, messageOf } from "../../errors.ts";
import { packBundle } from "../archive.ts";
import { BundleError, unexpected } from "../bundle-error.ts";
import type { BundleCache } from "../cache.ts";
import type { GitReference } from "../url-reference.ts";
import { formatGit } from "../url-reference.ts";
import type { BundleSource, FetchedBundle, Version } from "./bundle-source.ts";
import { staticCredentials } from "./credentials.ts";
import type { GitOptions } from "./git-program.ts";
import { runGit } from "./git-program.ts";
import { readGitTree } from "./git-tree.ts";
import { pollResult } from "./poll-result.ts";
import { createStaticAuth } from "./registry-auth.ts";
import type { RegistryOptions } from "./registry-session.ts";
import { unsignedBundle } from "./unsigned-bundle.ts";

/** How to reach repositories. */
export interface GitSourceOptions {
  readonly registry: RegistryOptions;
  /** Of the gateway; git gets `PATH`, proxies and certificate places of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the objects of one commit, as git packs them; default 256 MiB. */
  readonly maxPackBytes?: number;
  /** Where a bundle that is trusted is kept. */
  readonly cache?: BundleCache | undefined;
}

const commitPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const maxRefsBytes = 1024 * 1024;
const defaultPackBytes = 256 * 1024 * 1024;
const lookMs = 250;

/** The source of a `git+https://` or `git+file://` reference. */
export function createGitSource(reference: GitReference, options: GitSourceOptions): BundleSource {
  const isFixed = commitPattern.test(reference.ref);
  return {
    describe: formatGit(reference),
    isFixed,
    poll: async (known, signal) =>
      await pollResult(known, async () => {
        if (isFixed) return { version: { id: reference.ref } };
        const ask = (git: GitOptions) => resolveRef(reference, git);
        return { version: { id: await withGit(reference, options, signal, ask) } };
      }),
    fetch: async (version, signal) =>
      await withGit(reference, options, signal, (git) => {
        return fetchCommit(reference, version, git, options);
      }),
    close: () => {},
  };
}

/** Runs with a private folder that is gone afterwards. */
async function withGit<Value>(
  reference: GitReference,
  { registry, env }: GitSourceOptions,
  signal: AbortSignal,
  use: (git: GitOptions) => Promise<Value>,
): Promise<Value> {
  const where = formatGit(reference);
  const home = await makeFolder(where);
  const deadline = AbortSignal.timeout(registry.deadlineMs ?? 120_000);
  try {
    const protocol = reference.url.startsWith("https:") ? "https" : "file";
    const settings = settingsFor(new URL(reference.url), registry);
    return await use({
      protocol,
      home,
      env,
      settings,
      where,
      signal: AbortSignal.any([signal, deadline]),
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function makeFolder(where: string): Promise<string> {
  try {
    return await mkdtemp(join(tmpdir(), "mcp-gateway-git-"));
  } catch (thrown) {
    const reason = codeOf(thrown) ?? messageOf(thrown);
    const message = `${where}: cannot make a temporary folder: ${reason}`;
    throw new BundleError("bundle_storage_failed", message, { cause: thrown });
  }
}

/** Credentials and certificates of the config, for the one origin. */
function settingsFor(
  url: URL,
  { settings }: RegistryOptions,
): readonly (readonly [string, string])[] {
  const setting = url.protocol === "https:" ? settings?.(url.host) : undefined;
  if (setting === undefined) return [];
  const header = createStaticAuth(staticCredentials(setting)).headerFor("GET");
  const pairs = [
    ["extraHeader", header === undefined ? undefined : `Authorization: ${header}`],
    ["sslCAInfo", setting.caFile],
    ["sslCert", setting.certFile],
    ["sslKey", setting.keyFile],
  ] as const;
  return pairs.flatMap(([name, value]) =>
    value === undefined ? [] : [[`http.${url.origin}/.${name}`, value] as const],
  );
}

/** Exact names: `main` is not `feature/main`, and a branch and tag of one name are two things. */
async function resolveRef({ url, ref }: GitReference, git: GitOptions): Promise<string> {
  const isWhole = ref === "HEAD" || ref.startsWith("refs/");
  const names = isWhole ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
  const asked = names.flatMap((name) => [name, `${name}^{}`]);
  const output = await runGit(["ls-remote", "--", url, ...asked], git, { maxBytes: maxRefsBytes });
  const ids = new Map(
    output
      .toString("utf8")
      .split("\n")
      .map((line) => line.split("\t"))
      .flatMap(([id = "", name = ""]) => (commitPattern.test(id) ? [[name, id] as const] : [])),
  );
  // An annotated tag stands for the commit that it was put on.
  const found = names.flatMap((name) => ids.get(`${name}^{}`) ?? ids.get(name) ?? []);
  const [id, other] = found;
  if (id === undefined) {
    throw unexpected("bundle_not_found", git.where, `a branch or tag "${ref}"`, "none");
  }
  if (other === undefined || other === id) return id;
  const expected = `one thing called "${ref}"`;
  const both = `a branch and a tag; write refs/heads/${ref} or refs/tags/${ref}`;
  throw unexpected("bundle_reference_invalid", git.where, expected, both);
}

async function fetchCommit(
  { url, path }: GitReference,
  version: Version,
  git: GitOptions,
  { cache, maxPackBytes = defaultPackBytes }: GitSourceOptions,
): Promise<FetchedBundle> {
  if (!commitPattern.test(version.id)) {
    throw unexpected("bundle_reference_invalid", git.where, "a commit as version", "another text");
  }
  const repository = join(git.home, "repository.git");
  const format = version.id.length === 64 ? ["--object-format=sha256"] : [];
  await runGit(["init", "--bare", "--quiet", "--template=", ...format, repository], git, {
    maxBytes: 4096,
  });
  await fetchWithin(repository, url, version.id, git, maxPackBytes);
  const commit = `${version.id}^{commit}`;
  const files = await readGitTree(repository, commit, path, git);
  return unsignedBundle(version, Buffer.from(packBundle(files)), "git", cache);
}

/** Git itself knows no limit for what a server sends; the disk is watched instead. */
async function fetchWithin(
  repository: string,
  url: string,
  commit: string,
  git: GitOptions,
  maxBytes: number,
): Promise<void> {
  const tooLarge = new AbortController();
  const look = async (): Promise<void> => {
    if ((await packSize(join(repository, "objects", "pack"))) > maxBytes) tooLarge.abort();
  };
  const timer = setInterval(() => void look(), lookMs);
  const options = ["--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"];
  const signal = AbortSignal.any([git.signal, tooLarge.signal]);
  try {
    const args = ["--git-dir", repository, "fetch", ...options, "--", url, commit];
    await runGit(args, { ...git, signal }, { maxBytes: 4096 });
    await look();
  } catch (thrown) {
    if (!tooLarge.signal.aborted) throw thrown;
  } finally {
    clearInterval(timer);
  }
  if (!tooLarge.signal.aborted) return;
  const message = `${git.where}: expected at most ${maxBytes} bytes of objects, found more`;
  throw new BundleError("bundle_too_large", message);
}

async function packSize(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map(async (name) => {
    return (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
