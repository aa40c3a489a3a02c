/**
 * The keys of masking: the one that hashes what is hidden, made once in the state folder where the
 * configuration names none, and the one that seals originals, which is only ever the operator's.
 */
import { createHash, randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MaskingConfig } from "../../config/config.ts";
import { codeOf } from "../../errors.ts";
import { DecisionError } from "../decision-error.ts";

const keyName = "mask.key";
const keyBytes = 32;

/** The key that hashes; throws `mask_key_unusable`. */
export async function maskKey(
  stateDir: string,
  { key }: Pick<MaskingConfig, "key">,
): Promise<Uint8Array> {
  // Of any length, so it is made one of the right length.
  if (key !== undefined) return createHash("sha256").update(`mcp-gateway mask\0${key}`).digest();
  const path = join(stateDir, keyName);
  const kept = (await readKept(path)) ?? (await makeKey(stateDir, path));
  return checked(Buffer.from(kept, "hex"), path);
}

/** The key that seals, of 64 hexadecimal digits or as base64; throws `mask_key_unusable`. */
export function unmaskKey(text: string): Uint8Array {
  const written = text.trim();
  const isHex = /^[0-9a-fA-F]{64}$/.test(written);
  return checked(Buffer.from(written, isHex ? "hex" : "base64"), "decisions.masking.unmask_key");
}

async function readKept(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

/** A link is made whole or not at all, and by one of those that try. */
async function makeKey(stateDir: string, path: string): Promise<string> {
  const made = randomBytes(keyBytes).toString("hex");
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await writeFile(draft, made, { mode: 0o600, flag: "wx", flush: true });
  try {
    await link(draft, path);
    return made;
  } catch (thrown) {
    if (codeOf(thrown) !== "EEXIST") throw thrown;
    return await readFile(path, "utf8");
  } finally {
    await rm(draft, { force: true });
  }
}

function checked(key: Buffer, where: string): Uint8Array {
  if (key.length === keyBytes) return key;
  throw new DecisionError(
    "mask_key_unusable",
    `${where}: expected a key of ${keyBytes} bytes, found ${key.length}; make one with "openssl rand -hex 32"`,
  );
}
