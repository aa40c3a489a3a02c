/**
 * A signed statement that records were removed on purpose: of a writer the places from `first` to
 * `last`, the link before them and the link of the last. It is made before they are removed and kept
 * beside the checkpoints, so that a chain can be followed across what was pruned, and nobody else can
 * remove something and call it retention.
 */
import { sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { open, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { canonicalJson } from "../../contract/canonical-json.ts";
import { codeOf } from "../../errors.ts";
import { keyIdOf } from "./checkpoint.ts";
import type { Tampering } from "./chain-check.ts";
import { openToAppend } from "./open-to-append.ts";
import { readLines } from "./read-lines.ts";

const ending = ".pruned";
const hex64 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const place = z.int().check(z.gte(1));

const range = z.strictObject({ first: place, last: place, previous: hex64, link: hex64 });

/** Places that were removed; they fitted each other when they were. */
export type PrunedRange = z.output<typeof range>;

const statementSchema = z.strictObject({
  version: z.literal(1),
  statement: z.literal("pruned"),
  writer: z.string().check(z.regex(/^[0-9a-z-]{1,64}$/)),
  ranges: z.array(range),
  /** RFC 3339. */
  time: z.string(),
  /** SHA-256 of the public key, DER (SPKI). */
  key: hex64,
});
const lineSchema = z.strictObject({ ...statementSchema.shape, signature: z.string() });

/** Removed places by writer. */
export type PrunedByWriter = ReadonlyMap<string, readonly PrunedRange[]>;

/** Makes the statement durable; resolves once everything may be removed. */
export type Prove = (removed: PrunedByWriter) => Promise<void>;

/** Appends to the writers' files in `folder`. */
export function proveIn(folder: string, key: KeyObject, nowMs: () => number): Prove {
  return async (removed) => {
    for (const [writer, ranges] of removed) {
      const time = new Date(nowMs()).toISOString();
      const about = { version: 1, statement: "pruned", writer, ranges, time } as const;
      const signed = { ...about, key: keyIdOf(key) };
      const signature = sign(undefined, Buffer.from(canonicalJson(signed)), key);
      await append(
        folder,
        writer,
        JSON.stringify({ ...signed, signature: signature.toString("base64") }),
      );
    }
  };
}

async function append(folder: string, writer: string, line: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = await openToAppend(join(folder, `${writer}${ending}`));
  try {
    // A line that a crash has torn stands alone.
    await file.appendFile(`\n${line}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  const names = await open(folder, "r");
  try {
    await names.sync();
  } finally {
    await names.close();
  }
}

export interface CheckedPruning {
  readonly ranges: PrunedByWriter;
  readonly problems: readonly Tampering[];
}

/** Reads the statements of a folder; what the key did not sign is a problem and counts for nothing. */
export async function readPruned(folder: string, key: KeyObject): Promise<CheckedPruning> {
  const ranges = new Map<string, PrunedRange[]>();
  const problems: Tampering[] = [];
  for (const writer of await listFiles(folder)) {
    const own: PrunedRange[] = [];
    let index = 0;
    for await (const line of readLines(join(folder, `${writer}${ending}`))) {
      index += 1;
      if (line === "") continue;
      const found = rangesOf(line, writer, key);
      if (typeof found !== "string") own.push(...found);
      else if (found !== "torn") {
        const message = `line ${index} of its statements of pruning ${found}`;
        problems.push({ kind: "checkpoint", writer, seq: 0, message });
      }
    }
    if (own.length > 0) ranges.set(writer, own);
  }
  return { ranges, problems };
}

/** What a line states, or what is wrong with it. */
function rangesOf(line: string, writer: string, key: KeyObject): readonly PrunedRange[] | string {
  const parsed = parsedLine(line);
  if (parsed === undefined) return line.endsWith("}") ? "is none" : "torn";
  const { signature, ...statement } = parsed;
  const bytes = Buffer.from(canonicalJson(statement));
  const isSigned =
    statement.key === keyIdOf(key) &&
    verify(undefined, bytes, key, Buffer.from(signature, "base64"));
  if (!isSigned) return "is not signed by the key";
  if (statement.writer !== writer) return `is of another writer, ${statement.writer}`;
  return statement.ranges;
}

function parsedLine(line: string): z.output<typeof lineSchema> | undefined {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Names of writers that have one; regular files only. */
async function listFiles(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
      .map(({ name }) => name.slice(0, -ending.length))
      .toSorted();
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return [];
    throw thrown;
  }
}
