/**
 * `.signatures.json` as OPA signs bundles: a token that lists every file with its hash. The set of
 * files has to be exactly the signed one. Stricter than OPA: no MD5, no SHA-1, no YAML data, whose
 * canonical form depends on who parses it, and no member of a JSON file twice.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { parseJson } from "../parse-json.ts";
import { canonicalFile } from "./canonical-file.ts";
import { readToken } from "./opa-token.ts";
import type { Judgement, OpaSigner } from "./trust.ts";
import { refused } from "./trust.ts";

/** Where a bundle carries its signature. */
export const signaturesFile = ".signatures.json";

const signaturesSchema = z.object({
  signatures: z.array(z.string()).length(1),
  plugin: z.enum(["", "_default"]).optional(),
});
const payloadSchema = z.object({
  files: z
    .array(z.object({ name: z.string(), hash: z.string(), algorithm: z.string() }))
    .max(10_000),
  scope: z.string().optional(),
});
const hashes: Readonly<Record<string, string>> = {
  "SHA-224": "sha224",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
  "SHA-512-224": "sha512-224",
  "SHA-512-256": "sha512-256",
};

type SignedFile = z.infer<typeof payloadSchema>["files"][number];

/**
 * What a bundle's own signature says to one signer.
 *
 * @param files - content by path without leading `/`
 */
export function judgeOpaSignature(
  files: ReadonlyMap<string, Buffer>,
  signer: OpaSigner,
): Judgement {
  const parsed = signaturesSchema.safeParse(parseJson(files.get(signaturesFile)));
  if (!parsed.success) {
    return refused("no_trusted_signature", `${signaturesFile} does not hold exactly one signature`);
  }
  const token = readToken(parsed.data.signatures[0] ?? "", signer.algorithm, signer.key);
  if (!token.ok) return refused("no_trusted_signature", token.reason);
  const payload = payloadSchema.safeParse(parseJson(token.payload));
  if (!payload.success) return refused("subject_mismatch", "its token lists no files");
  if ((payload.data.scope ?? "") !== (signer.scope ?? "")) {
    return refused("identity_mismatch", "its scope is not the configured one");
  }
  const problem = filesProblem(files, payload.data.files);
  if (problem !== undefined) return refused("subject_mismatch", problem);
  const { name, keyid, scope } = signer;
  return { ok: true, signer: { type: "opa", name, keyid, scope } };
}

/**
 * The hash of one file as OPA takes it.
 *
 * @throws SyntaxError where a structured file cannot be read as one
 */
export function hashBundleFile(path: string, content: Buffer, hash: string): string {
  const base = path.split("/").at(-1) ?? "";
  if (/^data\.ya?ml$/.test(base)) throw new SyntaxError("YAML, which is not signed here");
  const isStructured = base === "data.json" || base === ".manifest";
  const hashed = isStructured ? canonicalFile(content) : content;
  return createHash(hash).update(hashed).digest("hex");
}

function filesProblem(
  files: ReadonlyMap<string, Buffer>,
  signed: readonly SignedFile[],
): string | undefined {
  const listed = new Map(signed.map((file) => [file.name, file]));
  if (listed.size !== signed.length) return "its token lists a file twice";
  const present = [...files].filter(([path]) => path !== signaturesFile);
  const missing = signed.find(({ name }) => name === signaturesFile || !files.has(name));
  if (missing !== undefined) return `the signed file ${shown(missing.name)} is not there`;
  for (const [path, content] of present) {
    const file = listed.get(path);
    if (file === undefined) return `the file ${shown(path)} is not signed`;
    const problem = fileProblem(path, content, file);
    if (problem !== undefined) return `the file ${shown(path)} ${problem}`;
  }
  return undefined;
}

function fileProblem(path: string, content: Buffer, file: SignedFile): string | undefined {
  const hash = Object.hasOwn(hashes, file.algorithm) ? hashes[file.algorithm] : undefined;
  if (hash === undefined) return "is signed with a hash that is too weak or unknown";
  try {
    const found = hashBundleFile(path, content, hash);
    return found === file.hash.toLowerCase() ? undefined : "is not the one that was signed";
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return `is ${thrown.message}`;
  }
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 100));
}
