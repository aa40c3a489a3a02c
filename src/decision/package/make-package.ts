/**
 * Makes a package of the record: what each writer has recorded since a time, whole to its end, its
 * checkpoints, and the bundles that decided, under a signed manifest. What does not fit in the record
 * is put in as it is: the package shows it to whoever verifies it.
 */
import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isRecord } from "../../contract/json.ts";
import { gatewayVersion } from "../../contract/version.ts";
import type { FoundRecord } from "../integrity/chain-check.ts";
import { keyIdOf } from "../integrity/checkpoint.ts";
import { listCheckpointed, readCheckpointLines } from "../integrity/checkpoint-file.ts";
import { readPruned } from "../integrity/pruned-range.ts";
import { readMembers } from "../record-header.ts";
import { dayMs } from "../store/partitions.ts";
import { toTimestamp } from "../to-timestamp.ts";
import type { RecordedChains } from "../verify-record.ts";
import type { StatedLines } from "./stated-lines.ts";
import { lookAtLines, noLines } from "./stated-lines.ts";
import type { PackageFiles, PackageManifest } from "./package-manifest.ts";
import {
  checkpointsName,
  contentName,
  keyName,
  manifestName,
  recordsName,
  signatureName,
  signManifest,
} from "./package-manifest.ts";
import type { PackagePart } from "./package-parts.ts";
import { PackageParts, partOf } from "./package-parts.ts";
import { recordLine } from "./record-line.ts";
import type { WriterWish } from "./writer-part.ts";
import { lastStatedMs, readWriter } from "./writer-part.ts";

export interface PackageOptions {
  readonly chains: RecordedChains;
  /** Folder of the checkpoints. */
  readonly checkpoints: string;
  /** Private. */
  readonly key: KeyObject;
  readonly sinceMs: number;
  readonly nowMs: number;
  /** An empty folder for what is too long for memory; its maker removes it. */
  readonly scratch: string;
  /** All content of a bundle by digest, its own first; `undefined` where it is not whole here. */
  readonly readBundle: (digest: string) => Promise<PackageFiles | undefined>;
}

export interface MadePackage {
  readonly manifest: PackageManifest;
  /** Of `scratch`, in the order of the archive. */
  readonly parts: readonly PackagePart[];
}

/** Reads everything; the manifest comes first, so that whoever streams the package knows what comes. */
export async function makePackage(options: PackageOptions): Promise<MadePackage> {
  const { key, nowMs, sinceMs } = options;
  const parts = new PackageParts(options.scratch);
  const named = new Set<string>();
  const writers = await addWriters(parts, named, options);
  const bundles = await addBundles(parts, named, options.readBundle);
  const about = { version: 1, made_at: toTimestamp(nowMs), since: toTimestamp(sinceMs) } as const;
  const from = { gateway: gatewayVersion, key: keyIdOf(key) };
  const manifest = { ...about, ...from, writers, ...bundles, files: parts.described };
  return { manifest, parts: [...signedParts(manifest, key), ...parts.parts] };
}

function signedParts(manifest: PackageManifest, key: KeyObject): readonly PackagePart[] {
  const text = JSON.stringify(manifest, null, 2);
  const open = createPublicKey(key).export({ type: "spki", format: "pem" });
  return [
    partOf(manifestName, Buffer.from(text)),
    partOf(signatureName, Buffer.from(`${signManifest(text, key)}\n`)),
    partOf(keyName, Buffer.from(open)),
  ];
}

async function addWriters(
  parts: PackageParts,
  named: Set<string>,
  { chains, checkpoints, key, sinceMs }: PackageOptions,
): Promise<PackageManifest["writers"]> {
  // What is stated is read first: what comes behind it meanwhile is not vouched for yet.
  const stated = new Map<string, StatedLines>();
  for (const writer of await listCheckpointed(checkpoints)) {
    stated.set(writer, await lookAtLines(readCheckpointLines(checkpoints, writer), sinceMs));
  }
  const publicKey = createPublicKey(key);
  const pruned = await readPruned(checkpoints, publicKey);
  const recorded = await (chains.recent?.writers(sinceMs - dayMs) ?? chains.writers());
  const writers: PackageManifest["writers"] = [];
  for (const writer of [...new Set([...recorded, ...stated.keys()])].toSorted()) {
    const removed = pruned.ranges.get(writer) ?? [];
    const lines = stated.get(writer) ?? noLines;
    const wish = { writer, sinceMs, removed, stated: lines, key: publicKey };
    const part = await addWriter(parts, named, { chains, checkpoints }, wish);
    if (part !== undefined) writers.push(part);
  }
  return writers;
}

async function addWriter(
  parts: PackageParts,
  named: Set<string>,
  { chains, checkpoints }: Pick<PackageOptions, "chains" | "checkpoints">,
  wish: WriterWish,
): Promise<PackageManifest["writers"][number] | undefined> {
  const { writer, sinceMs, removed } = wish;
  const draft = parts.begin(recordsName(writer));
  let records = 0;
  const before = await readWriter(chains, wish, async (record) => {
    records += 1;
    await draft.append(`${recordLine(record)}\n`);
    for (const digest of namedBundles(record)) named.add(digest);
  });
  // A writer that has stated a place since then is part of it, whatever the store still has.
  if (records === 0 && !(lastStatedMs(wish) >= sinceMs)) return undefined;
  await draft.end();
  await addLines(parts, checkpoints, wish);
  const behind = removed.filter(({ first }) => first > (before?.last ?? 0));
  return { writer, records, left_out: before === undefined ? behind : [before, ...behind] };
}

/** As many as were looked at. */
async function addLines(
  parts: PackageParts,
  checkpoints: string,
  { writer, stated }: WriterWish,
): Promise<void> {
  const draft = parts.begin(checkpointsName(writer));
  let left = stated.lines;
  if (left > 0) {
    for await (const line of readCheckpointLines(checkpoints, writer)) {
      await draft.append(`${line}\n`);
      left -= 1;
      if (left === 0) break;
    }
  }
  await draft.end();
}

function namedBundles({ text, columns }: FoundRecord): readonly string[] {
  return bundlesOf(text === undefined ? columns : readMembers(text));
}

/** Digests of the bundles that a record, or its header, names. */
export function bundlesOf(
  members: Readonly<Record<string, unknown>> | undefined,
): readonly string[] {
  const bundles = members?.["bundles"];
  const read = typeof bundles === "string" ? readMembers(bundles) : bundles;
  const decided = isRecord(read) ? Object.values(read) : [];
  const digests = decided.map((bundle) => (isRecord(bundle) ? bundle["digest"] : undefined));
  return [...digests, members?.["digest"]]
    .filter((found) => typeof found === "string")
    .filter(isDigest);
}

function isDigest(text: string): boolean {
  return /^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/.test(text);
}

async function addBundles(
  parts: PackageParts,
  named: ReadonlySet<string>,
  readBundle: PackageOptions["readBundle"],
): Promise<Pick<PackageManifest, "bundles" | "missing_bundles">> {
  const bundles: string[] = [];
  const missing: string[] = [];
  for (const digest of [...named].toSorted()) {
    const contents = await readBundle(digest);
    (contents === undefined ? missing : bundles).push(digest);
    for (const [part, bytes] of contents ?? []) await parts.add(contentName(part), bytes);
  }
  return { bundles, missing_bundles: missing };
}
