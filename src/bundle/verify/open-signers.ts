/**
 * From the configured signers to those that can judge: reads key files, checks that each key is of
 * its algorithm, and makes what is only needed later (a trust root) wait until then.
 */
import type { KeyObject } from "node:crypto";
import { createSecretKey } from "node:crypto";
import type { SignerConfig } from "../../config/config.ts";
import { readTrustedFile } from "../../config/read-trusted-file.ts";
import { messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";
import type { IdentityMatch } from "./keyless.ts";
import { keyProblem } from "./opa-token.ts";
import { openPublicKey } from "./public-key.ts";
import type { Signer } from "./trust.ts";
import { publicGoodRoot, readTrustRoot } from "./trust-root.ts";

const maxFileBytes = 1024 * 1024;

/**
 * Opens signers.
 *
 * @throws BundleError `bundle_trust_invalid`
 */
export function openSigners(configs: readonly SignerConfig[]): readonly Signer[] {
  return configs.map(openSigner);
}

function openSigner(config: SignerConfig): Signer {
  const { name } = config;
  const where = `signer "${name}"`;
  switch (config.type) {
    case "cosign-key":
      return { type: "cosign-key", name, key: openPublicKey(readPem(config.key, where), where) };
    case "sigstore": {
      const identity = openIdentity(config, where);
      const { issuer, trustedRoot } = config;
      const root =
        trustedRoot === undefined
          ? publicGoodRoot
          : readTrustRoot(readText(trustedRoot, where), `${where}: ${trustedRoot}`);
      return { type: "sigstore", name, identity, issuer, root };
    }
    case "opa": {
      const key = openOpaKey(config, where);
      const { keyid, algorithm, scope } = config;
      return { type: "opa", name, keyid, key, algorithm, scope };
    }
  }
}

function openOpaKey(
  { key: given, algorithm }: Extract<SignerConfig, { readonly type: "opa" }>,
  where: string,
): KeyObject {
  const key = algorithm.startsWith("HS")
    ? createSecretKey(Buffer.from(given))
    : openPublicKey(readPem(given, where), where);
  const expected = keyProblem(algorithm, key);
  if (expected === undefined) return key;
  throw invalid(where, `${expected} for ${algorithm}`, "another key");
}

/** An identity is compared whole; a pattern too has to match all of it. */
function openIdentity(
  { identity, identityRegex }: Extract<SignerConfig, { readonly type: "sigstore" }>,
  where: string,
): IdentityMatch {
  return async () => {
    if (identity !== undefined) return (found) => found === identity;
    const { RE2JS } = await import("re2js");
    try {
      const pattern = RE2JS.compile(identityRegex ?? "");
      return (found) => pattern.matches(found);
    } catch (thrown) {
      throw invalid(where, "identity_regex to be an RE2 pattern", messageOf(thrown), thrown);
    }
  };
}

function readPem(given: string, where: string): string {
  return given.includes("-----BEGIN ") ? given : readText(given, where);
}

function readText(path: string, where: string): string {
  const checkModes = process.platform !== "win32";
  const read = readTrustedFile(path, { maxBytes: maxFileBytes, checkModes });
  if (read.ok) return read.text;
  throw invalid(where, "a file that can be read and only you can write", read.message, read.cause);
}

function invalid(where: string, expected: string, found: string, cause?: unknown): BundleError {
  const message = `${where}: expected ${expected}, found ${found}`;
  return new BundleError("bundle_trust_invalid", message, { cause });
}
