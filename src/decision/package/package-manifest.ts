/**
 * The manifest of a package of the record: every file of it by digest, the places of each writer that
 * it leaves out, and the bundles that could not be put in. It is signed with the key of checkpoints,
 * so that the package says the same wherever it is read.
 */
import { sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import * as z from "zod/mini";

const hex64 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const place = z.int().check(z.gte(1));
const digest = z.string().check(z.regex(/^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/));

const schema = z.strictObject({
  version: z.literal(1),
  /** RFC 3339. */
  made_at: z.string(),
  since: z.string(),
  gateway: z.string(),
  /** SHA-256 of the public key, DER (SPKI). */
  key: hex64,
  writers: z.array(
    z.strictObject({
      writer: z.string().check(z.regex(/^[0-9a-z-]{1,64}$/)),
      records: z.int().check(z.gte(0)),
      /** Places that are not here: made before `since`, or pruned as signed statements say. */
      left_out: z.array(
        z.strictObject({ first: place, last: place, previous: hex64, link: hex64 }),
      ),
    }),
  ),
  /** Bundles that records name and that are here, whole. */
  bundles: z.array(digest),
  /** Bundles that records name and that were not on this machine any more. */
  missing_bundles: z.array(digest),
  files: z.array(z.strictObject({ name: z.string(), sha256: hex64, bytes: z.int() })),
});

/** snake_case as it lies in the package. */
export type PackageManifest = z.output<typeof schema>;

/** A file of a package, by its name in it. */
export type PackageFiles = ReadonlyMap<string, Buffer>;

export const manifestName = "manifest.json";
export const signatureName = "manifest.sig";
export const keyName = "key.pem";

/** Where the records of a writer are. */
export function recordsName(writer: string): string {
  return `records/${writer}.jsonl`;
}

/** Where the checkpoints of a writer are. */
export function checkpointsName(writer: string): string {
  return `checkpoints/${writer}.checkpoints`;
}

/** Where the content of a digest is, a bundle's manifest as well as its parts. */
export function contentName(of: string): string {
  return `bundles/${of.replace(":", "/")}`;
}

/** The digest that a file is named by; `undefined` where it holds no content of a bundle. */
export function digestOfName(name: string): string | undefined {
  const found = /^bundles\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name);
  return found === null ? undefined : `${found[1]}:${found[2]}`;
}

/** The manifest of its text; `undefined` where it is none. */
export function readManifest(text: string): PackageManifest | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Base64. */
export function signManifest(text: string, key: KeyObject): string {
  return sign(undefined, signedBytes(text), key).toString("base64");
}

export function isManifestSigned(text: string, signature: string, key: KeyObject): boolean {
  return verify(undefined, signedBytes(text), key, Buffer.from(signature, "base64"));
}

/** A signature of something else is none of a manifest. */
function signedBytes(text: string): Buffer {
  return Buffer.from(`mcp-gateway record package 1\n${text}`);
}
