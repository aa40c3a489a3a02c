/**
 * What is kept of one source of policy between runs, and between the gateways and commands that work
 * on it at once: which bundle is active, which were before, what somebody decided about them, and how
 * the source is doing. One file for each layer and reference; whoever changes it holds its lock, and
 * every gateway looks at it again and again, so that a command takes effect without a restart.
 */
import { join } from "node:path";
import { readdir, stat } from "node:fs/promises";
import * as z from "zod";
import type { Clock } from "../../contract/ambient.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { acquireProcessLock } from "../../database/process-lock.ts";
import { readStateFile, writeStateFile } from "../../database/state-file.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";
import { isDigest } from "../digest.ts";
import { parseJson } from "../parse-json.ts";

const digest = z.string().refine(isDigest);

const version = z.object({ id: z.string(), etag: z.optional(z.string()) });

const mark = z.object({
  revision: z.string(),
  sequence: z.optional(z.number()),
  created_seconds: z.optional(z.number()),
});

/** A bundle that was active, and how it came to be. */
const entry = z.object({
  digest,
  revision: z.string(),
  /** Of the files in it, however they are packed and wrapped. */
  content: z.optional(digest),
  /** What the source calls it. */
  version,
  /** Of the archive, where it is not part of an artifact. */
  archive_bytes: z.nullable(z.int()),
  size_bytes: z.int(),
  /** RFC 3339. */
  activated_at: z.string(),
  by: z.string(),
  why: z.nullable(z.string()),
  vouched_by: z.enum(["signature", "digest", "nothing"]),
  signers: z.array(z.string()),
  /** Somebody rolled back from it: the next rollback does not lead to it. */
  rolled_back: z.optional(z.boolean()),
});

const decision = z.object({
  digest,
  content: z.optional(digest),
  at: z.string(),
  by: z.string(),
  why: z.nullable(z.string()),
});

const hold = decision.extend({
  /** By which command; `undefined`: before this was written down. */
  way: z.optional(z.enum(["activate", "rollback"])),
  /** Why it cannot be followed, as a gateway found at last. */
  code: z.optional(z.string()),
  message: z.optional(z.string()),
  /** When a gateway tries again, where it does; RFC 3339. */
  next_try_at: z.optional(z.string()),
});

const candidate = z.object({
  digest,
  revision: z.string(),
  at: z.string(),
  state: z.enum(["waiting", "rejected"]),
  /** As of an entry, where it was fetched. */
  content: z.optional(digest),
  version: z.optional(version),
  archive_bytes: z.optional(z.nullable(z.int())),
  code: z.nullable(z.string()),
  message: z.nullable(z.string()),
  /** As of what is held: where the lock names it. */
  next_try_at: z.optional(z.string()),
});

/** OPA's words for the status of a bundle; `code` and `message` are of the last request alone. */
const status = z.object({
  last_request: z.nullable(z.string()),
  last_successful_request: z.nullable(z.string()),
  last_successful_download: z.nullable(z.string()),
  last_successful_activation: z.nullable(z.string()),
  code: z.nullable(z.string()),
  message: z.nullable(z.string()),
});

const history = z.object({
  version: z.literal(1),
  layer: z.string(),
  reference: z.string(),
  active: z.nullable(entry),
  /** Newest first, without the active one. */
  previous: z.array(entry),
  /** What the source has and is not active. */
  candidate: z.nullable(candidate),
  /** What somebody chose: it is active until they choose again or resume, whatever the source has. */
  hold: z.nullable(hold),
  revoked: z.array(decision),
  /** Of a canary: the bundle that a gateway took out for what it did. */
  aborted: z.optional(decision),
  /** The highest version that was ever active. */
  highest: z.nullable(mark),
  status,
});

export type HistoryEntry = z.output<typeof entry>;
export type HistoryDecision = z.output<typeof decision>;
export type HistoryHold = z.output<typeof hold>;
/** What is needed to have it again. */
export type KeptBundle = Pick<HistoryEntry, "digest" | "version" | "archive_bytes">;
export type BundleCandidate = z.output<typeof candidate>;
export type BundleStatus = z.output<typeof status>;
export type BundleHistory = z.output<typeof history>;

/** How many bundles a rollback may choose from. */
export const maxPrevious = 20;
const maxFileBytes = 1024 * 1024;
const lockWaitMs = 5000;

export interface HistoryPlace {
  readonly stateDir: string;
  readonly clock: Clock;
}

export interface HistoryKey {
  /** Config id of the server, or name of the layer. */
  readonly layer: string;
  /** As configured. */
  readonly reference: string;
}

/** Nothing is known of a source yet. */
export function emptyHistory({ layer, reference }: HistoryKey): BundleHistory {
  return {
    version: 1,
    layer,
    reference,
    active: null,
    previous: [],
    candidate: null,
    hold: null,
    revoked: [],
    highest: null,
    status: {
      last_request: null,
      last_successful_request: null,
      last_successful_download: null,
      last_successful_activation: null,
      code: null,
      message: null,
    },
  };
}

/**
 * Reads the history of a source.
 *
 * @throws BundleError `bundle_state_unusable`: a file that says who is revoked is not to be guessed
 */
export async function readHistory(place: HistoryPlace, key: HistoryKey): Promise<BundleHistory> {
  return (await readHistoryFile(pathOf(place, key))) ?? emptyHistory(key);
}

/**
 * Changes the history of a source, alone.
 *
 * @throws BundleError `bundle_state_unusable`
 */
export async function changeHistory(
  place: HistoryPlace,
  key: HistoryKey,
  change: (before: BundleHistory) => BundleHistory,
): Promise<BundleHistory> {
  const path = pathOf(place, key);
  const attempt = await acquireProcessLock(`${path}.lock`, {
    clock: place.clock,
    waitMs: lockWaitMs,
  });
  if (!attempt.ok) throw unusable(path, `process ${attempt.holder.pid} holds its lock`);
  try {
    const now = change(await readHistory(place, key));
    const text = `${JSON.stringify(now, undefined, 2)}\n`;
    // What could not be read again would forget what was revoked.
    if (Buffer.byteLength(text) > maxFileBytes) throw unusable(path, "it would grow too large");
    await writeStateFile(path, text);
    return now;
  } catch (thrown) {
    if (thrown instanceof BundleError) throw thrown;
    throw unusable(path, "it cannot be written", thrown);
  } finally {
    await attempt.lock.release();
  }
}

/**
 * Reads the histories of all sources of this state folder, whichever configuration they are of.
 *
 * @throws BundleError `bundle_state_unusable`, where a single one cannot be read
 */
export async function readHistories({
  stateDir,
}: Pick<HistoryPlace, "stateDir">): Promise<readonly BundleHistory[]> {
  const folder = join(stateDir, "bundles");
  const names = await readdir(folder).catch((thrown: unknown) => {
    if (codeOf(thrown) === "ENOENT") return [];
    throw unusable(folder, messageOf(thrown), thrown);
  });
  const paths = names.filter((name) => name.endsWith(".json")).map((name) => join(folder, name));
  const found = await Promise.all(paths.map((path) => readHistoryFile(path)));
  return found.filter((one) => one !== undefined);
}

/** Changes with every change of the history; cheap. */
export async function historyStamp(place: HistoryPlace, key: HistoryKey): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(pathOf(place, key));
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    return "absent";
  }
}

async function readHistoryFile(path: string): Promise<BundleHistory | undefined> {
  const reading = await readStateFile(path, maxFileBytes);
  if (reading.kind === "absent") return undefined;
  if (reading.kind === "unreadable") throw unusable(path, reading.reason);
  const parsed = history.safeParse(parseJson(reading.text));
  if (!parsed.success) throw unusable(path, "it is no history of a bundle source");
  return parsed.data;
}

/** Layers of several configurations may share a name; their sources tell them apart. */
function pathOf({ stateDir }: HistoryPlace, { layer, reference }: HistoryKey): string {
  const [, hex = ""] = sha256Of(reference).split(":");
  return join(stateDir, "bundles", `${layer}-${hex.slice(0, 16)}.json`);
}

function unusable(path: string, reason: string, cause?: unknown): BundleError {
  return new BundleError(
    "bundle_state_unusable",
    `cannot use ${path}: ${reason}; repair it, or remove it to forget which bundles were active, held and revoked`,
    { cause },
  );
}
