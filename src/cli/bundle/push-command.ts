/**
 * `bundle push DIR REF`: builds a folder of sources, or takes an archive that was built, and puts
 * it into a registry or layout.
 */
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { BundleFiles } from "../../bundle/compile-policy.ts";
import { pushBundle } from "../../bundle/push-bundle.ts";
import { isRecord } from "../../contract/json.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError, type CliIo } from "../io.ts";
import { printDocument, type OutputFormat } from "../print.ts";
import { artifactReference, type BundleContext } from "./bundle-context.ts";
import { buildSourceFolder } from "./build-sources.ts";

/** Pushes and prints `REF@sha256:…`. */
export async function pushCommand(
  { io, registry }: BundleContext,
  folder: string,
  referenceText: string,
  { output, source }: { readonly output: OutputFormat; readonly source?: string },
): Promise<void> {
  const reference = artifactReference(io, referenceText);
  const createdSeconds = sourceDateEpoch(io);
  const bundle = await readBundle(resolve(io.cwd, folder));
  const pushed = await pushBundle(bundle, reference, {
    registry,
    createdSeconds,
    ...(source === undefined ? {} : { source }),
  });
  if (output === "table") io.out(pushed.reference);
  else printDocument(io, output, pushed);
}

async function readBundle(path: string): Promise<BundleFiles | Uint8Array> {
  const status = await stat(path).catch(() => undefined);
  if (status?.isFile() === true) return await readFile(path);
  const files = await buildSourceFolder(path);
  requireName(files, path);
  return files;
}

/** A bundle without a name fits any server; one that leaves its author's hands has one. */
function requireName(files: BundleFiles, path: string): void {
  const manifest: unknown = JSON.parse(
    Buffer.from(files.get(".manifest") ?? "{}").toString("utf8"),
  );
  const metadata = isRecord(manifest) ? manifest["metadata"] : undefined;
  if (isRecord(metadata) && typeof metadata["name"] === "string") return;
  throw new CliError(
    exitCodes.invalid,
    `expected metadata.name in ${join(path, ".manifest")}, found none: name the server or layer that the bundle is for`,
  );
}

/** Seconds since the epoch of the reproducible-builds convention. */
function sourceDateEpoch(io: CliIo): number {
  const text = io.env["SOURCE_DATE_EPOCH"] ?? "";
  if (text === "") return 0;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new CliError(
    exitCodes.usage,
    `expected SOURCE_DATE_EPOCH to be seconds since 1970, found ${JSON.stringify(text)}`,
  );
}
