/**
 * References that are URLs: a bundle on a server as OPA's bundle service has it, and a folder in a
 * Git repository. What is printed is what is asked for: nothing is normalised behind anybody's back.
 */
import { invalidReference } from "./invalid-reference.ts";
import { isLoopbackHost } from "./sources/loopback-host.ts";

/** A bundle archive on a web server. */
export interface ServiceReference {
  readonly scheme: "https";
  /** Without credentials and fragment; `http:` on this machine alone. */
  readonly url: string;
}

/** A folder of policy sources in a Git repository. */
export interface GitReference {
  readonly scheme: "git";
  /** `https://…` or `file:///…`, without credentials, query and fragment. */
  readonly url: string;
  /** Branch, tag or whole commit id; `HEAD` where none was given. */
  readonly ref: string;
  /** Folder in the repository without leading and closing slash; empty for the whole. */
  readonly path: string;
}

const refPattern = /^[A-Za-z0-9_][A-Za-z0-9._/+-]{0,199}$/;
const pathPattern = /^[^\0-\x1f\x7f\\:]{1,500}$/;

/**
 * Reads the URL of a bundle service.
 *
 * @throws BundleError `bundle_reference_invalid`
 */
export function parseService(text: string): ServiceReference {
  const url = parseUrl(text, text);
  if (url.hash !== "") throw invalidReference(text, "no fragment", `"${url.hash}"`);
  if (url.protocol === "http:" && !isLoopbackHost(url.host)) {
    throw invalidReference(text, "https://", "http://, which is for this machine alone");
  }
  return { scheme: "https", url: url.href };
}

/**
 * Reads `git+https://URL#REF:PATH` or `git+file:///PATH#REF:PATH`.
 *
 * @throws BundleError `bundle_reference_invalid`
 */
export function parseGit(text: string): GitReference {
  const [address = "", ...fragments] = text.slice("git+".length).split("#");
  const url = parseUrl(address, text);
  const isFile = url.protocol === "file:" && url.host === "";
  if (url.protocol !== "https:" && !isFile) {
    throw invalidReference(text, "git+https://HOST/… or git+file:///…", "another protocol");
  }
  if (url.search !== "" || fragments.length > 1) {
    throw invalidReference(text, "#REF:PATH at its end and no query", "another form");
  }
  const [ref = "", ...folders] = (fragments[0] ?? "").split(":");
  const path = folders.join(":").replace(/\/$/, "");
  if (ref !== "" && !isRef(ref)) {
    throw invalidReference(text, "a branch, tag or commit id before the colon", `"${ref}"`);
  }
  if (path !== "" && !isFolder(path)) {
    throw invalidReference(text, "a folder in the repository behind the colon", `"${path}"`);
  }
  return { scheme: "git", url: url.href, ref: ref === "" ? "HEAD" : ref, path };
}

/** Prints a Git reference so that `parseGit` reads it back. */
export function formatGit({ url, ref, path }: GitReference): string {
  return `git+${url}#${ref}${path === "" ? "" : `:${path}`}`;
}

function parseUrl(address: string, text: string): URL {
  if (!URL.canParse(address)) throw invalidReference(text, "a URL", "none that can be read");
  const url = new URL(address);
  if (url.username !== "" || url.password !== "") {
    throw invalidReference(text, "no credentials in it", "some");
  }
  // Backslashes, dots and missing hosts mean to one reader what they do not mean to another.
  if (url.href === address || url.href === `${address}/`) return url;
  throw invalidReference(text, `the URL as it is meant, ${url.href}`, "another spelling of it");
}

/** What `git check-ref-format` takes, and nothing that reads like an option or an expression. */
function isRef(ref: string): boolean {
  return refPattern.test(ref) && !/\.\.|\/\/|\/\.|\/-|\.lock(?:\/|$)|[./]$/.test(ref);
}

function isFolder(path: string): boolean {
  const parts = path.split("/");
  return pathPattern.test(path) && parts.every((part) => !["", ".", "..", ".git"].includes(part));
}
