/**
 * `bundle sign REF --key KEY`: signs what a reference stands for now, in its registry or layout.
 * `bundle sign ARCHIVE --opa`: puts OPA's own signature into a built archive, before it is pushed.
 */
import type { KeyObject } from "node:crypto";
import { createSecretKey } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { openArchive, packBundle } from "../../bundle/archive.ts";
import { BundleError } from "../../bundle/bundle-error.ts";
import { formatReference, pinReference } from "../../bundle/reference.ts";
import { openSink, openSource } from "../../bundle/sources/open-source.ts";
import { fingerprintOf } from "../../bundle/verify/public-key.ts";
import { signArtifact, signatureFormats } from "../../bundle/verify/sign-artifact.ts";
import { signFiles } from "../../bundle/verify/sign-opa.ts";
import { openPrivateKey, openSigningKey } from "../../bundle/verify/signing-key.ts";
import type { OpaAlgorithm } from "../../config/config.ts";
import { opaAlgorithms } from "../../config/config.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { codeOf } from "../../errors.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import type { BundleContext } from "./bundle-context.ts";
import { artifactReference } from "./bundle-context.ts";
import { keyPassword, readKey } from "./read-key.ts";

export interface SignOptions {
  readonly output: OutputFormat;
  readonly key: string;
  readonly format: string;
  readonly opa?: boolean;
  readonly algorithm: string;
  readonly keyid: string;
  readonly scope?: string;
  readonly file?: string;
}

/** Signs, and prints the reference or archive with the digest of what was signed. */
export async function signCommand(
  context: BundleContext,
  target: string,
  options: SignOptions,
): Promise<void> {
  if (options.opa === true) await signArchive(context.io, target, options);
  else await signReference(context, target, options);
}

async function signReference(
  { io, registry }: BundleContext,
  target: string,
  options: SignOptions,
): Promise<void> {
  const format = oneOf(signatureFormats, options.format, "--format");
  const reference = artifactReference(io, target);
  const key = openSigningKey(readKey(io, options.key), keyPassword(io), "--key");
  const source = await openSource(reference, registry);
  const sink = await openSink(reference, registry);
  try {
    const digest = await source.resolve(reference);
    const subject = await source.readManifest(digest);
    const repository =
      reference.scheme === "oci" ? `${reference.host}/${reference.repository}` : reference.path;
    const signature = await signArtifact({ source, sink, repository }, subject, key, format);
    const pinned = formatReference(pinReference(reference, digest));
    const signer = { type: "cosign-key", fingerprint: fingerprintOf(key.publicKey) };
    if (options.output === "table") io.out(pinned);
    else printDocument(io, options.output, { reference: pinned, format, signature, signer });
  } finally {
    await source.close();
    await sink.close();
  }
}

async function signArchive(io: CliIo, target: string, options: SignOptions): Promise<void> {
  const algorithm = oneOf(opaAlgorithms, options.algorithm, "--algorithm");
  const key = openOpaKey(io, options.key, algorithm);
  const path = resolve(io.cwd, target);
  const files = openArchive(await readArchive(path));
  const signing = { keyid: options.keyid, algorithm, key, scope: options.scope };
  const archive = packBundle(signFiles(files, signing));
  const output = resolve(io.cwd, options.file ?? target);
  await writeFile(output, archive);
  const digest = sha256Of(archive);
  if (options.output === "table") io.out(`${output} ${digest}`);
  else printDocument(io, options.output, { file: output, digest, bytes: archive.length });
}

function openOpaKey(io: CliIo, place: string, algorithm: OpaAlgorithm): KeyObject {
  const text = readKey(io, place);
  // A secret in a file ends with a line end that nobody means.
  if (algorithm.startsWith("HS")) return createSecretKey(Buffer.from(text.replace(/\r?\n$/, "")));
  return openPrivateKey(text, keyPassword(io), "--key");
}

async function readArchive(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (thrown) {
    const found = codeOf(thrown) === "EISDIR" ? "a folder" : "none";
    const advice = "build one with policy build, and push what is signed with bundle push";
    throw new BundleError(
      "bundle_archive_invalid",
      `${path}: expected a built bundle archive (tar.gz), found ${found}; ${advice}`,
      { cause: thrown },
    );
  }
}

function oneOf<Word extends string>(words: readonly Word[], word: string, option: string): Word {
  const found = words.find((known) => known === word);
  if (found !== undefined) return found;
  throw new CliError(
    exitCodes.usage,
    `expected ${option} to be one of ${words.join(", ")}, found ${JSON.stringify(word)}`,
  );
}
