/**
 * `bundle verify REF`: who vouches for a bundle. Signers come from the options, else from `trust`
 * in the configuration. Exit code 8 where nobody does.
 */
import { resolve } from "node:path";
import { readBundleManifest } from "../../bundle/bundle-manifest.ts";
import { fetchArtifact } from "../../bundle/fetch-artifact.ts";
import { formatReference, pinReference } from "../../bundle/reference.ts";
import { openSource } from "../../bundle/sources/open-source.ts";
import { unpackArchive } from "../../bundle/unpack/unpack-archive.ts";
import { openSigners } from "../../bundle/verify/open-signers.ts";
import { requireTrust } from "../../bundle/verify/require-trust.ts";
import type { SignerConfig } from "../../config/config.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import type { BundleContext } from "./bundle-context.ts";
import { artifactReference } from "./bundle-context.ts";
import { readKey } from "./read-key.ts";

export interface VerifyOptions {
  readonly output: OutputFormat;
  readonly key?: string;
  readonly identity?: string;
  readonly identityRegex?: string;
  readonly issuer?: string;
  readonly trustedRoot?: string;
  /** The server or layer that it has to be for. */
  readonly name?: string;
}

/** Verifies and prints who signed what. Reads no cache, and writes none. */
export async function verifyCommand(
  { io, config, registry }: BundleContext,
  referenceText: string,
  options: VerifyOptions,
): Promise<void> {
  const reference = artifactReference(io, referenceText);
  const given = givenSigners(io, options);
  const signers = openSigners(given.length > 0 ? given : (config?.signers ?? []));
  if (signers.length === 0) throw nobody();
  const where = formatReference(reference);
  const source = await openSource(reference, registry);
  try {
    const artifact = await fetchArtifact(source, await source.resolve(reference), where);
    const open = () => unpackArchive(artifact.archive, signers);
    const report = await requireTrust({
      name: options.name,
      where,
      require: "signature",
      signers,
      isPinned: false,
      artifact: { subjects: artifact.documents.map(({ digest }) => digest), open },
      // The registry alone: this says what others would see, not what the cache remembers.
      places: [source],
    });
    const { metadata, revision } = readBundleManifest((await open()).files, where);
    printDocument(io, options.output, {
      reference: formatReference(pinReference(reference, artifact.digest)),
      name: metadata.name ?? null,
      revision,
      verified_by: report.signers,
      signatures: report.proofs.map(({ subject, manifest }) => ({
        manifest: manifest.digest,
        subject,
      })),
    });
  } finally {
    await source.close();
  }
}

function givenSigners(io: CliIo, options: VerifyOptions): readonly SignerConfig[] {
  const { key, identity, identityRegex, issuer, trustedRoot } = options;
  const byKey: readonly SignerConfig[] =
    key === undefined ? [] : [{ type: "cosign-key", name: "--key", key: readKey(io, key) }];
  const isKeyless = [identity, identityRegex, issuer, trustedRoot].some((one) => one !== undefined);
  if (!isKeyless) return byKey;
  if (issuer === undefined || (identity === undefined) === (identityRegex === undefined)) {
    throw new CliError(
      exitCodes.usage,
      "expected --issuer together with either --identity or --identity-regex",
    );
  }
  const root = trustedRoot === undefined ? undefined : resolve(io.cwd, trustedRoot);
  const name = identity ?? identityRegex ?? "";
  const rest = { identity, identityRegex, issuer, trustedRoot: root };
  return [...byKey, { type: "sigstore", name, ...rest }];
}

function nobody(): CliError {
  return new CliError(
    exitCodes.usage,
    "expected somebody to trust: --key FILE, or --identity and --issuer, or trust in the configuration; found nobody",
  );
}
