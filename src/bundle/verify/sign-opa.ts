/**
 * Adds OPA's own signature to the files of a bundle: `.signatures.json`, as `opa sign` makes it.
 */
import type { KeyObject } from "node:crypto";
import type { OpaAlgorithm } from "../../config/config.ts";
import { opaAlgorithms } from "../../config/config.ts";
import { BundleError } from "../bundle-error.ts";
import { hashBundleFile, signaturesFile } from "./opa-signature.ts";
import { keyProblem, writeToken } from "./opa-token.ts";

/** How to sign. */
export interface OpaSigning {
  readonly keyid: string;
  readonly algorithm: OpaAlgorithm;
  /** A private key, or the shared secret of an HS algorithm. */
  readonly key: KeyObject;
  readonly scope: string | undefined;
}

/**
 * The files with their signature; one that was there is replaced.
 *
 * @param files - content by path without leading `/`
 * @throws BundleError `bundle_trust_invalid`, `bundle_manifest_invalid`
 */
export function signFiles(
  files: ReadonlyMap<string, Buffer>,
  { keyid, algorithm, key, scope }: OpaSigning,
): ReadonlyMap<string, Buffer> {
  const expected = keyProblem(algorithm, key);
  if (expected !== undefined) {
    const fitting = opaAlgorithms.find((one) => keyProblem(one, key) === undefined);
    const advice = fitting === undefined ? "" : `; for this one say --algorithm ${fitting}`;
    const message = `signing key: expected ${expected} for ${algorithm}, found another key${advice}`;
    throw new BundleError("bundle_trust_invalid", message);
  }
  const unsigned = [...files].filter(([path]) => path !== signaturesFile);
  const listed = unsigned
    .map(([name, content]) => ({ name, hash: hashOf(name, content), algorithm: "SHA-256" }))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const payload = { files: listed, keyid, ...(scope === undefined ? {} : { scope }) };
  const token = writeToken(payload, keyid, algorithm, key);
  const signatures = Buffer.from(JSON.stringify({ signatures: [token] }));
  return new Map([...unsigned, [signaturesFile, signatures]]);
}

function hashOf(path: string, content: Buffer): string {
  try {
    return hashBundleFile(path, content, "sha256");
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    const found = `${JSON.stringify(path)} is ${thrown.message}`;
    const message = `bundle: expected files that can be signed, found that ${found}`;
    throw new BundleError("bundle_manifest_invalid", message, { cause: thrown });
  }
}
