/**
 * A checkpoint: a signed statement of where a writer's chain stood at some time. It is kept outside
 * the store, so that whoever can change the store cannot change it along. Each names the one before
 * it by hash, and the last places of the other writers that its own maker knew, so that neither a
 * line nor a whole file goes missing unseen while one newer file is left.
 */
import { createHash, createPublicKey, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import * as z from "zod/mini";
import { canonicalJson } from "../../contract/canonical-json.ts";

const hex64 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const place = z.int().check(z.gte(0));

const statementSchema = z.strictObject({
  version: z.literal(1),
  writer: z.string().check(z.regex(/^[0-9a-z-]{1,64}$/)),
  seq: place,
  link: hex64,
  /** RFC 3339. */
  time: z.string(),
  /** SHA-256 of the line before in the same file; `null` for the first. */
  previous: z.nullable(hex64),
  /** The writer has ended; nothing comes behind. */
  final: z.boolean(),
  /**
   * Places of other writers in the same folder, by their ids: those that another line of this file
   * does not name yet, and now and then all of them.
   */
  others: z.record(z.string(), place),
  /** SHA-256 of the public key, DER (SPKI). */
  key: hex64,
});

/** What is signed; snake_case as it lies in the file. */
export type CheckpointStatement = z.output<typeof statementSchema>;

/** What of a statement a chain is held against. */
export type StatedPlace = Pick<CheckpointStatement, "writer" | "seq" | "link" | "time" | "final">;

const lineSchema = z.strictObject({ ...statementSchema.shape, signature: z.string() });

export interface Checkpoint {
  readonly statement: CheckpointStatement;
  /** Base64, Ed25519 over the canonical JSON of the statement. */
  readonly signature: string;
  /** SHA-256 of the line. */
  readonly sha256: string;
}

/** One line of a checkpoint file, without its end. */
export function signCheckpoint(statement: CheckpointStatement, key: KeyObject): string {
  const signature = sign(undefined, Buffer.from(canonicalJson(statement)), key).toString("base64");
  return JSON.stringify({ ...statement, signature });
}

/** The checkpoint of a line; `undefined` where it is none. Nothing is verified. */
export function readCheckpoint(line: string): Checkpoint | undefined {
  try {
    const { signature, ...statement } = lineSchema.parse(JSON.parse(line));
    return { statement, signature, sha256: sha256OfLine(line) };
  } catch {
    return undefined;
  }
}

/** Whether the key made it. */
export function isSignedBy({ statement, signature }: Checkpoint, key: KeyObject): boolean {
  const bytes = Buffer.from(canonicalJson(statement));
  return (
    statement.key === keyIdOf(key) &&
    verify(undefined, bytes, key, Buffer.from(signature, "base64"))
  );
}

/** How statements name a line. */
export function sha256OfLine(line: string): string {
  return createHash("sha256").update(line).digest("hex");
}

/** How statements name a key, private or public. */
export function keyIdOf(key: KeyObject): string {
  const open = key.type === "private" ? createPublicKey(key) : key;
  return createHash("sha256")
    .update(open.export({ type: "spki", format: "der" }))
    .digest("hex");
}
