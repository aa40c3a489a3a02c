/**
 * What has to vouch for a bundle, filled in: named signers looked up, paths absolute, and the
 * default of a source that says nothing.
 */
import { resolve } from "node:path";
import type { SignerConfig, SourceTrust } from "./config.ts";
import type { SignerEntry } from "./trust-schema.ts";

interface TrustEntry {
  readonly require?: SourceTrust["require"] | undefined;
  readonly signers?: readonly (string | SignerEntry)[] | undefined;
}

type NamedSigners = Readonly<Record<string, SignerEntry>>;

/**
 * The trust of one source. Whatever comes over a network needs a signature where anybody may sign
 * at all, else a pinned digest; less has to be said.
 */
export function resolveTrust(
  folder: string,
  reference: string,
  { require, signers }: TrustEntry,
  named: NamedSigners,
): SourceTrust {
  const entries = signers ?? Object.keys(named);
  const needed = require ?? defaultOf(reference, entries.length > 0, signers !== undefined);
  if (needed !== "signature") return { require: needed, signers: [] };
  return {
    require: needed,
    signers: entries.flatMap((entry, index) => resolveEntry(folder, entry, index, named)),
  };
}

/** Everybody in `trust`. */
export function resolveSigners(folder: string, named: NamedSigners): readonly SignerConfig[] {
  return Object.entries(named).map(([name, entry]) => resolveSigner(folder, name, entry));
}

function defaultOf(
  reference: string,
  hasSigners: boolean,
  isAsked: boolean,
): SourceTrust["require"] {
  if (isAsked) return "signature";
  if (/^(?:file|oci-layout|git\+file):/.test(reference)) return "none";
  return hasSigners ? "signature" : "digest";
}

/** That every name is one of `trust` was checked before. */
function resolveEntry(
  folder: string,
  entry: string | SignerEntry,
  index: number,
  named: NamedSigners,
): readonly SignerConfig[] {
  if (typeof entry !== "string") return [resolveSigner(folder, `signers.${index}`, entry)];
  const found = Object.hasOwn(named, entry) ? named[entry] : undefined;
  return found === undefined ? [] : [resolveSigner(folder, entry, found)];
}

function resolveSigner(folder: string, name: string, entry: SignerEntry): SignerConfig {
  switch (entry.type) {
    case "cosign-key":
      return { type: entry.type, name, key: pemOrPath(folder, entry.key) };
    case "sigstore": {
      const { identity, issuer, trusted_root: root } = entry;
      const trustedRoot = root === undefined ? undefined : resolve(folder, root);
      const identityRegex = entry.identity_regex;
      return { type: entry.type, name, identity, identityRegex, issuer, trustedRoot };
    }
    case "opa": {
      const { keyid, algorithm, scope } = entry;
      const isSecret = algorithm.startsWith("HS");
      const key = isSecret ? entry.key : pemOrPath(folder, entry.key);
      return { type: entry.type, name, keyid, key, algorithm, scope };
    }
  }
}

function pemOrPath(folder: string, key: string): string {
  return key.includes("-----BEGIN ") ? key : resolve(folder, key);
}
