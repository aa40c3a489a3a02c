/**
 * Makes a package of the record: what each writer has recorded since a time, whole to its end, its
 * checkpoints, and the bundles that decided, under a signed manifest. What does not fit in the record
 * is put in as it is: the package shows it to whoever verifies it.
 */
import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { gatewayVersion } from "../../contract/version.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { isRecord } from "../../contract/json.ts";
import { firstLink } from "../integrity/chain-link.ts";
import type { FoundRecord } from "../integrity/chain-check.ts";
import { keyIdOf } from "../integrity/checkpoint.ts";
import { readCheckpointLines } from "../integrity/checkpoint-file.ts";
import type { PrunedRange } from "../integrity/pruned-range.ts";
import { readPruned } from "../integrity/pruned-range.ts";
import { readMembers } from "../record-header.ts";
import { toTimestamp } from "../to-timestamp.ts";
import type { RecordedChains } from "../verify-record.ts";
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
import { recordLine } from "./record-line.ts";

export interface PackageOptions {
  readonly chains: RecordedChains;
  /** Folder of the checkpoints. */
  readonly checkpoints: string;
  /** Private. */
  readonly key: KeyObject;
  readonly sinceMs: number;
  readonly nowMs: number;
  /** All content of a bundle by digest, its own first; `undefined` where it is not whole here. */
  readonly readBundle: (digest: string) => Promise<PackageFiles | undefined>;
}

export interface MadePackage {
  readonly manifest: PackageManifest;
  readonly files: PackageFiles;
}

/** Reads everything; the manifest comes first, so that whoever streams the package knows what comes. */
export async function makePackage(options: PackageOptions): Promise<MadePackage> {
  const { chains, key, checkpoints, nowMs, sinceMs } = options;
  // What is stated is read first: what comes behind it meanwhile is not vouched for yet.
  const stated = await readCheckpointLines(checkpoints);
  const pruned = await readPruned(checkpoints, createPublicKey(key));
  const content = new Map<string, Buffer>();
  const writers: PackageManifest["writers"] = [];
  const named = new Set<string>();
  for (const writer of await chains.writers()) {
    const part = await readWriter(chains.chain(writer), writer, sinceMs, named);
    if (part === undefined) continue;
    content.set(recordsName(writer), textFile(part.lines));
    content.set(checkpointsName(writer), textFile(stated.get(writer) ?? []));
    const left = [...part.before, ...(pruned.ranges.get(writer) ?? [])];
    writers.push({ writer, records: part.lines.length, left_out: left });
  }
  const bundles = await addBundles(content, named, options.readBundle);
  const about = { version: 1, made_at: toTimestamp(nowMs), since: toTimestamp(sinceMs) } as const;
  const files = [...content].map(([name, bytes]) => describe(name, bytes));
  const from = { gateway: gatewayVersion, key: keyIdOf(key) };
  const manifest = { ...about, ...from, writers, ...bundles, files };
  return { manifest, files: signed(manifest, content, key) };
}

function signed(manifest: PackageManifest, content: PackageFiles, key: KeyObject): PackageFiles {
  const text = JSON.stringify(manifest, null, 2);
  const open = createPublicKey(key).export({ type: "spki", format: "pem" });
  return new Map([
    [manifestName, Buffer.from(text)],
    [signatureName, Buffer.from(`${signManifest(text, key)}\n`)],
    [keyName, Buffer.from(open)],
    ...content,
  ]);
}

interface WriterPart {
  readonly lines: readonly string[];
  /** What was made before. */
  readonly before: readonly PrunedRange[];
}

/** From the first record of the time on; `undefined` where there is none. */
async function readWriter(
  chain: AsyncIterable<FoundRecord>,
  writer: string,
  sinceMs: number,
  named: Set<string>,
): Promise<WriterPart | undefined> {
  const lines: string[] = [];
  let before: readonly PrunedRange[] = [];
  for await (const record of chain) {
    if (lines.length === 0 && timeOf(record) < sinceMs) continue;
    if (lines.length === 0 && record.seq > 1) {
      const link = record.previous;
      before = [{ first: 1, last: record.seq - 1, previous: firstLink(writer), link }];
    }
    lines.push(recordLine(record));
    for (const digest of namedBundles(record)) named.add(digest);
  }
  return lines.length === 0 ? undefined : { lines, before };
}

/** What cannot be read is part of any time. */
function timeOf({ text, columns }: FoundRecord): number {
  const members = text === undefined ? undefined : readMembers(text);
  const time = Date.parse(String(members?.["timestamp"] ?? columns?.["recorded_at"]));
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
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
  content: Map<string, Buffer>,
  named: ReadonlySet<string>,
  readBundle: PackageOptions["readBundle"],
): Promise<Pick<PackageManifest, "bundles" | "missing_bundles">> {
  const bundles: string[] = [];
  const missing: string[] = [];
  for (const digest of [...named].toSorted()) {
    const parts = await readBundle(digest);
    (parts === undefined ? missing : bundles).push(digest);
    for (const [part, bytes] of parts ?? []) content.set(contentName(part), bytes);
  }
  return { bundles, missing_bundles: missing };
}

function describe(name: string, bytes: Buffer): PackageManifest["files"][number] {
  return { name, sha256: sha256Of(bytes).slice("sha256:".length), bytes: bytes.length };
}

function textFile(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(""));
}
