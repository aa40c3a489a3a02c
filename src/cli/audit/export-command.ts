/**
 * `audit export`: writes a signed package of the record since a time, which verifies without this
 * machine.
 */
import { createHash } from "node:crypto";
import { lstat, mkdtemp, open, rm, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readLayoutFile } from "../../bundle/sources/layout-file.ts";
import { parseReference } from "../../bundle/reference.ts";
import { systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import { policyPlaces } from "../../config/policy-places.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import { isRecord } from "../../contract/json.ts";
import { DecisionError } from "../../decision/decision-error.ts";
import { checkpointFolder, checkpointKey } from "../../decision/integrity/checkpoint-key.ts";
import type { MadePackage, PackageOptions } from "../../decision/package/make-package.ts";
import { makePackage } from "../../decision/package/make-package.ts";
import type { PackageManifest } from "../../decision/package/package-manifest.ts";
import { parseTime } from "../../decision/parse-time.ts";
import { readMembers } from "../../decision/record-header.ts";
import { spoolFolder } from "../../decision/spool/writer-folder.ts";
import { spoolChains, storeChains } from "../../decision/verify-record.ts";
import { messageOf } from "../../errors.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import { withStore } from "../decision/with-store.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { printable } from "../printable.ts";
import { writePackage } from "./write-package.ts";

export interface PackageCommandOptions {
  readonly config?: string;
  readonly since: string;
  readonly file: string;
  readonly force?: boolean;
}

const contentMaxBytes = 256 * 1024 ** 2;
const partsMax = 1000;

/** Writes the package and says what is in it. */
export async function exportPackage(io: CliIo, options: PackageCommandOptions): Promise<void> {
  const { config } = loadConfigFor(io, options.config);
  const { store, checkpoints } = config.decisions;
  const stateDir = stateDirOf(io);
  const nowMs = systemClock.nowMs();
  const common = {
    checkpoints: checkpointFolder(stateDir, checkpoints),
    key: await checkpointKey(stateDir, checkpoints),
    sinceMs: parseTime(options.since, nowMs),
    nowMs,
    readBundle: bundleReader(contentFolders(io, config)),
  };
  const make = async (chains: PackageOptions["chains"]): Promise<PackageManifest> =>
    await writingTo(await takePlace(io, options), (scratch) =>
      makePackage({ ...common, chains, scratch }),
    );
  const manifest =
    store.kind === "postgres"
      ? await withStore(io, options.config, (database) => make(storeChains(database)))
      : await make(spoolChains(spoolFolder(stateDir, store.kind), systemClock));
  tell(io, manifest);
}

/** Where a package will be. */
interface Place {
  readonly path: string;
  /** Gives it back where no package comes to it. */
  readonly leave: () => Promise<void>;
}

/**
 * A package may be all that is left of what it shows. So an empty file is put where one will be, from
 * the beginning: of two at once the second is refused.
 */
async function takePlace(
  io: CliIo,
  { file, force = false }: PackageCommandOptions,
): Promise<Place> {
  const path = resolve(io.cwd, file);
  const found = await lstat(path).catch(() => undefined);
  if (force && found?.isFile() === true) return { path, leave: async () => {} };
  if (found === undefined) {
    const place = await open(path, "wx", 0o600).catch((cause: unknown) => {
      throw notWritten(path, cause);
    });
    await place.close();
    return { path, leave: () => unlink(path) };
  }
  const what = found.isFile()
    ? "one; name another, or add --force to write over it"
    : "something else than a file; name another place";
  throw new CliError(exitCodes.usage, `-f ${file}: expected no file there yet, found ${what}`);
}

/**
 * What is long lies beside the package until that is written, and so does the package until it is
 * whole: there is room for one, or for none, and none that was there is lost for half of another.
 */
async function writingTo(
  { path, leave }: Place,
  make: (scratch: string) => Promise<MadePackage>,
): Promise<PackageManifest> {
  const scratch = await mkdtemp(`${path}.parts-`).catch(async (cause: unknown) => {
    await leave();
    throw notWritten(path, cause);
  });
  try {
    const { manifest, parts } = await make(scratch);
    await writePackage(path, join(scratch, "package"), parts).catch((cause: unknown) => {
      throw notWritten(path, cause);
    });
    return manifest;
  } catch (thrown) {
    await leave();
    throw thrown;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function notWritten(path: string, cause: unknown): DecisionError {
  const message = `expected to write a package to ${path}, found: ${messageOf(cause)}`;
  return new DecisionError("package_unusable", message, { cause });
}

function tell(io: CliIo, manifest: PackageManifest): void {
  const { writers, bundles, missing_bundles: missing, key } = manifest;
  const records = writers.reduce((sum, writer) => sum + writer.records, 0);
  io.err(`${records} records of ${writers.length} writers, ${bundles.length} bundles; key ${key}`);
  for (const digest of missing) io.err(printable(`not on this machine any more: ${digest}`));
}

/** The cache, and the layouts that policies come from. */
function contentFolders(io: CliIo, config: GatewayConfig): readonly string[] {
  const layouts = policyPlaces(config).flatMap(({ policy }) => {
    const reference = policy === undefined ? undefined : parseReference(policy.reference);
    return reference?.scheme === "oci-layout" ? [resolve(io.cwd, reference.path)] : [];
  });
  return [...new Set([resolveStatePaths(io.env, io.cwd).cacheDir, ...layouts])];
}

/** Reads a bundle with everything that it leads to by digest. */
function bundleReader(folders: readonly string[]): PackageOptions["readBundle"] {
  return async (digest) => {
    const parts = new Map<string, Buffer>();
    const wanted = [digest];
    for (const part of wanted) {
      if (parts.has(part) || parts.size >= partsMax) continue;
      const bytes = await readContent(folders, part);
      if (bytes === undefined) return undefined;
      parts.set(part, bytes);
      wanted.push(...childrenOf(bytes));
    }
    return parts;
  };
}

async function readContent(
  folders: readonly string[],
  digest: string,
): Promise<Buffer | undefined> {
  const [algorithm = "", hex = ""] = digest.split(":");
  for (const folder of folders) {
    const path = join(folder, "blobs", algorithm, hex);
    const bytes = await readLayoutFile(path, contentMaxBytes).catch(() => undefined);
    if (bytes === undefined) continue;
    if (createHash(algorithm).update(bytes).digest("hex") === hex) return bytes;
  }
  // The one content that layouts may leave out (image specification, "empty descriptor").
  const empty = Buffer.from("{}");
  return createHash("sha256").update(empty).digest("hex") === hex ? empty : undefined;
}

/** What a manifest is made of; nothing for any other content. */
function childrenOf(bytes: Buffer): readonly string[] {
  if (bytes[0] !== 0x7b) return [];
  const members = readMembers(bytes.toString("utf8"));
  if (typeof members?.["schemaVersion"] !== "number") return [];
  const lists = [members["layers"], members["manifests"]].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  return [members["config"], ...lists].flatMap((child) => {
    const digest = isRecord(child) ? child["digest"] : undefined;
    return typeof digest === "string" && /^sha(?:256|512):[0-9a-f]+$/.test(digest) ? [digest] : [];
  });
}
