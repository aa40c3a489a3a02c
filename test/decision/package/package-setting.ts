/**
 * A recorded history with a bundle in the cache, and the package of it, to be tampered with.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { gunzip, gzip } from "../../../src/bundle/gzip.ts";
import { readTar } from "../../../src/bundle/read-tar.ts";
import { writeTar } from "../../../src/bundle/write-tar.ts";
import type { CliIo } from "../../../src/cli/io.ts";
import { run } from "../../../src/cli/run.ts";
import { newId } from "../../../src/config/ambient.ts";
import { resolveStatePaths } from "../../../src/config/state-paths.ts";
import type { Digest } from "../../../src/contract/bundle.ts";
import { sha256Of } from "../../../src/contract/sha256.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import type { MadePackage } from "../../../src/decision/package/make-package.ts";
import type { PackageFiles } from "../../../src/decision/package/package-manifest.ts";
import type { AdmissionRecord } from "../../../src/contract/record.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { allowed, logOptions, outcome } from "../support.ts";

export const checkpoints = { folder: undefined, key: undefined, everyMs: 3_600_000 };
/** Named by a record and nowhere to be found. */
export const lostDigest = sha256Of("a bundle that was swept away");

export interface Setting {
  readonly folder: string;
  readonly stateDir: string;
  /** Of the bundle that is in the cache. */
  readonly digest: Digest;
  /** Of the archive that it is made of. */
  readonly layer: Digest;
}

/** Two gateways one after the other, each with calls and their outcomes. */
export async function recordHistory(): Promise<Setting> {
  const folder = temporaryFolder();
  const stateDir = join(folder, "state");
  mkdirSync(stateDir, { mode: 0o700 });
  const config = { agent: { id: "a" }, user: { id: "u" }, servers: {} };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config), { mode: 0o600 });
  const layer = keep(folder, "package crm");
  const manifest = {
    schemaVersion: 2,
    config: { digest: sha256Of("{}") },
    layers: [{ digest: layer }],
  };
  const digest = keep(folder, JSON.stringify(manifest));
  await writeRecords(stateDir, [digest, digest, digest]);
  await writeRecords(stateDir, [digest, lostDigest]);
  return { folder, stateDir, digest, layer };
}

/** One writer: a call with its outcome for each bundle. */
export async function writeRecords(stateDir: string, bundles: readonly Digest[]): Promise<void> {
  const log = await createDecisionLog({ ...logOptions(stateDir), checkpoints });
  for (const digest of bundles) {
    const record = decidedBy(digest);
    await log.admit(record);
    log.settle(outcome(record.decisionId));
  }
  await log.close();
}

/** One writer with two calls before a time and two after it; resolves to the time. */
export async function writeAround(stateDir: string, digest: Digest): Promise<string> {
  const log = await createDecisionLog({ ...logOptions(stateDir), checkpoints });
  const admit = async (): Promise<void> => {
    for (let call = 0; call < 2; call += 1) await log.admit(decidedBy(digest));
  };
  await admit();
  await wait(20);
  const between = new Date().toISOString();
  await wait(20);
  await admit();
  await log.note({ ...noted, decisionId: newId(), timeMs: Date.now() });
  await log.note({ ...noted, decisionId: newId(), timeMs: Date.now() });
  await log.close();
  return between;
}

const noted = {
  kind: "admin",
  tenant: "default",
  by: "olga",
  action: "block",
  subject: "agent mallory",
  reason: null,
  details: {},
} as const;

function decidedBy(digest: Digest): AdmissionRecord {
  const inputJson = '{"big":12345678901234567890,\n"a":1.50}';
  const record = allowed({ inputJson });
  const metadata = { ...record.answer.metadata, bundles: { crm: { revision: "1.0.0", digest } } };
  return { ...record, answer: { ...record.answer, metadata } };
}

const environmentOf = (folder: string): Record<string, string> => ({
  HOME: folder,
  XDG_CACHE_HOME: join(folder, "cache"),
  MCP_GATEWAY_STATE: join(folder, "state"),
});

function keep(folder: string, content: string): Digest {
  const digest = sha256Of(content);
  const { cacheDir } = resolveStatePaths(environmentOf(folder), folder);
  mkdirSync(join(cacheDir, "blobs", "sha256"), { recursive: true });
  writeFileSync(join(cacheDir, "blobs", "sha256", digest.slice(7)), content);
  return digest;
}

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `audit …` in a folder; one of its own has no state of a gateway. */
export async function audit(folder: string, ...words: readonly string[]): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  let code = 0;
  const io: CliIo = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    env: environmentOf(folder),
    cwd: folder,
    columns: undefined,
    exit: (wanted) => {
      code = wanted;
    },
  };
  await run(["audit", ...words], io);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** The files of a package that was made. */
export async function filesOf({ parts }: MadePackage): Promise<PackageFiles> {
  const files = new Map<string, Buffer>();
  for (const { name, read } of parts) {
    const pieces: Buffer[] = [];
    for await (const piece of read()) pieces.push(piece);
    files.set(name, Buffer.concat(pieces));
  }
  return files;
}

/** The files of a package, to be changed. */
export function unpack(path: string): Map<string, string> {
  const files = readTar(gunzip(readFileSync(path), 1024 ** 3), 10_000);
  return new Map(files.map(({ name, content }) => [name, content.toString("utf8")]));
}

export function pack(path: string, files: ReadonlyMap<string, string>): void {
  const named = [...files].map(([name, text]) => ({ name, content: Buffer.from(text) }));
  writeFileSync(path, gzip(writeTar(named)));
}
