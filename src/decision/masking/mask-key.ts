/**
 * The key of masking, which hashes what is hidden: made once in the state folder where the
 * configuration names none.
 */
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import type { MaskingConfig } from "../../config/config.ts";
import { DecisionError } from "../decision-error.ts";
import { keptKeyFile } from "../kept-key-file.ts";

const keyName = "mask.key";
const keyBytes = 32;

/** The key that hashes; throws `mask_key_unusable`. */
export async function maskKey(
  stateDir: string,
  { key }: Pick<MaskingConfig, "key">,
): Promise<Uint8Array> {
  // Of any length, so it is made one of the right length.
  if (key !== undefined) return createHash("sha256").update(`mcp-gateway mask\0${key}`).digest();
  const kept = await keptKeyFile(stateDir, keyName, newKey);
  return checked(Buffer.from(kept, "hex"), join(stateDir, keyName));
}

function newKey(): string {
  return randomBytes(keyBytes).toString("hex");
}

function checked(key: Buffer, where: string): Uint8Array {
  if (key.length === keyBytes) return key;
  throw new DecisionError(
    "mask_key_unusable",
    `${where}: expected a key of ${keyBytes} bytes, found ${key.length}; make one with "openssl rand -hex 32"`,
  );
}
