/**
 * The reference of a bundle as far as the configuration knows it: which kinds of source there are,
 * and that folders are meant relative to the file. The grammar of names, tags and digests is left
 * to the sources themselves.
 */
import { resolve } from "node:path";

/** An absolute reference, or what is wrong with the one given; never repeats it. */
export type PolicyReference =
  | { readonly ok: true; readonly reference: string }
  | { readonly ok: false; readonly message: string };

const kinds =
  "oci://HOST/REPOSITORY:TAG, oci-layout:PATH:TAG, https://HOST/PATH, git+https://HOST/PATH#REF:FOLDER or file:PATH";
const tagAndDigest = /^(.*?)((?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]+)?)$/su;

/** Resolves `reference` against the folder of the configuration file. */
export function resolvePolicyReference(folder: string, reference: string): PolicyReference {
  if (/^(?:https?|git\+https):\/\//.test(reference)) return resolveUrl(reference);
  if (reference.startsWith("git+file://")) return { ok: true, reference };
  if (reference.startsWith("oci://")) return resolveRegistry(reference);
  if (reference.startsWith("oci-layout:")) {
    const [, path = "", suffix = ""] = tagAndDigest.exec(reference.slice(11)) ?? [];
    if (path === "") return refuse("expected a path after oci-layout:");
    return { ok: true, reference: `oci-layout:${resolve(folder, path)}${suffix}` };
  }
  if (reference.startsWith("file:")) {
    const path = reference.slice(5);
    if (path === "") return refuse("expected a path after file:");
    return { ok: true, reference: `file:${resolve(folder, path)}` };
  }
  return refuse(`expected ${kinds}, found another kind of reference`);
}

function resolveUrl(reference: string): PolicyReference {
  const url = reference.slice(reference.startsWith("git+") ? "git+".length : 0);
  if (!URL.canParse(url)) return refuse("expected a URL with a host");
  const { username, password } = new URL(url);
  if (username === "" && password === "") return { ok: true, reference };
  return refuse("expected no credentials in the reference; they belong in registries.HOST");
}

function resolveRegistry(reference: string): PolicyReference {
  const rest = reference.slice("oci://".length);
  if (/^[^/]*@/.test(rest)) {
    return refuse("expected no credentials in the reference; they belong in registries.HOST");
  }
  if (!/^[^/\s]+\/\S+$/.test(rest)) return refuse("expected oci://HOST/REPOSITORY:TAG");
  return { ok: true, reference };
}

function refuse(message: string): PolicyReference {
  return { ok: false, message };
}
