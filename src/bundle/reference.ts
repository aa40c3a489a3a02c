/**
 * Where a bundle comes from, as written in the config or on the command line. Reads and prints
 * `oci://`, `oci-layout:`, `https://`, `git+https://`, `git+file://` and `file:` references; contacts
 * nobody.
 *
 * Names and tags follow the OCI distribution specification ("Pulling manifests"), digests the
 * image specification. Where a tag and a digest are given the digest decides and the tag is for
 * people.
 */
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Digest } from "../contract/bundle.ts";
import { isDigest } from "./digest.ts";
import { invalidReference } from "./invalid-reference.ts";
import type { GitReference, ServiceReference } from "./url-reference.ts";
import { formatGit, parseGit, parseService } from "./url-reference.ts";

/** A repository in a registry. */
export interface RegistryReference {
  readonly scheme: "oci";
  /** Lower-case host with its port, `registry.example:5000` or `[::1]:5000`. */
  readonly host: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/** An OCI image layout in a folder. */
export interface LayoutReference {
  readonly scheme: "oci-layout";
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/** A folder of policy sources. */
export interface FolderReference {
  readonly scheme: "file";
  readonly path: string;
}

/** What holds artifacts: a registry or a layout. */
export type ArtifactReference = RegistryReference | LayoutReference;

export type Reference = ArtifactReference | ServiceReference | GitReference | FolderReference;

const registryShape =
  /^oci:\/\/(?<host>[^/]+)\/(?<repository>[^:@]+)(?::(?<tag>[^:@]*))?(?:@(?<digest>[^@]*))?$/;
/** A colon before a slash belongs to the path or to a drive letter, not to a tag. */
const layoutShape =
  /^oci-layout:(?<path>[^\0]+?)(?::(?<tag>[^:@/\\]*))?(?:@(?<digest>sha(?:256|512):[^@/\\]*))?$/;
const repositoryPattern =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const maxNameLength = 255;

/**
 * Reads a reference.
 *
 * @throws BundleError `bundle_reference_invalid`
 */
export function parseReference(text: string): Reference {
  if (text.startsWith("oci://")) return parseRegistry(text);
  if (text.startsWith("oci-layout:")) return parseLayout(text);
  if (text.startsWith("file:")) return parseFolder(text);
  if (/^https?:\/\//.test(text)) return parseService(text);
  if (text.startsWith("git+")) return parseGit(text);
  const known = "oci://, oci-layout:, https://, git+https://, git+file:// or file:";
  throw invalidReference(text, `it to begin with ${known}`, "another beginning");
}

/** Prints a reference so that `parseReference` reads it back. */
export function formatReference(reference: Reference): string {
  switch (reference.scheme) {
    case "oci":
      return `oci://${reference.host}/${reference.repository}${formatVersion(reference)}`;
    case "oci-layout":
      return `oci-layout:${reference.path}${formatVersion(reference)}`;
    case "https":
      return reference.url;
    case "git":
      return formatGit(reference);
    case "file":
      return `file:${reference.path}`;
  }
}

/** The same reference with its paths made absolute. */
export function resolveReference(reference: Reference, folder: string): Reference {
  if (reference.scheme !== "oci-layout" && reference.scheme !== "file") return reference;
  return isAbsolute(reference.path)
    ? reference
    : { ...reference, path: resolve(folder, reference.path) };
}

/** The same reference pinned to a digest: `REF@sha256:…`. */
export function pinReference<Pinned extends ArtifactReference>(
  reference: Pinned,
  digest: Digest,
): Pinned {
  return { ...reference, digest };
}

function formatVersion(version: {
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}): string {
  const tag = version.tag === undefined ? "" : `:${version.tag}`;
  return version.digest === undefined ? tag : `${tag}@${version.digest}`;
}

function parseRegistry(text: string): RegistryReference {
  const parts = registryShape.exec(text)?.groups;
  if (parts === undefined)
    throw invalidReference(text, "oci://HOST/REPOSITORY:TAG", "another form");
  const host = parseHost(parts["host"] ?? "", text);
  const repository = parts["repository"] ?? "";
  if (!repositoryPattern.test(repository)) {
    const rule = "a repository of lower-case letters, digits and . _ - between slashes";
    throw invalidReference(text, rule, `"${repository}"`);
  }
  if (host.length + 1 + repository.length > maxNameLength) {
    throw invalidReference(
      text,
      `host and repository of at most ${maxNameLength} characters`,
      "more",
    );
  }
  const tag = parseTag(parts["tag"], text);
  const digest = parseDigest(parts["digest"], text);
  const defaulted = tag === undefined && digest === undefined ? "latest" : tag;
  return { scheme: "oci", host, repository, tag: defaulted, digest };
}

function parseLayout(text: string): LayoutReference {
  const parts = layoutShape.exec(text)?.groups;
  if (parts === undefined) throw invalidReference(text, "oci-layout:PATH:TAG", "no path");
  return {
    scheme: "oci-layout",
    path: parts["path"] ?? "",
    tag: parseTag(parts["tag"], text),
    digest: parseDigest(parts["digest"], text),
  };
}

function parseFolder(text: string): FolderReference {
  const path = text.startsWith("file://") ? folderOfUrl(text) : text.slice("file:".length);
  if (path === "" || path.includes("\0")) throw invalidReference(text, "file:PATH", "no path");
  return { scheme: "file", path };
}

function folderOfUrl(text: string): string {
  try {
    return fileURLToPath(text);
  } catch {
    throw invalidReference(
      text,
      "file:PATH or file:///PATH",
      "a URL with a host or broken escapes",
    );
  }
}

function parseTag(tag: string | undefined, text: string): string | undefined {
  if (tag === undefined || tagPattern.test(tag)) return tag;
  const rule = "a tag of 1 to 128 letters, digits, . _ - that does not begin with . or -";
  throw invalidReference(text, rule, `"${tag}"`);
}

function parseDigest(digest: string | undefined, text: string): Digest | undefined {
  if (digest === undefined || isDigest(digest)) return digest;
  const rule = "a digest sha256:<64 hex digits> or sha512:<128 hex digits> in lower case";
  throw invalidReference(text, rule, `"${digest}"`);
}

/** A host as WHATWG URL prints it: what is checked is then exactly what is connected to. */
function parseHost(host: string, text: string): string {
  const lower = host.toLowerCase();
  const port = /:(?:80|443)$/.exec(lower)?.[0] ?? "";
  const bare = port === "" ? lower : lower.slice(0, -port.length);
  const url = URL.canParse(`http://${bare}`) ? new URL(`http://${bare}`) : undefined;
  if (url?.host === bare && /^[a-z0-9.[\]:-]+$/.test(bare)) return lower;
  throw invalidReference(text, "a host name or address with an optional port", `"${host}"`);
}
