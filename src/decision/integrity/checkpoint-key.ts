/**
 * The key that signs checkpoints, Ed25519. Where the configuration names none it is made once and
 * kept in the state folder: whoever can write there can sign, so a key from elsewhere is better.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import type { CheckpointsConfig } from "../../config/config.ts";
import { DecisionError } from "../decision-error.ts";
import { keptKeyFile } from "../kept-key-file.ts";

const keyName = "checkpoint-key.pem";

/** Where the checkpoints of a state folder's gateways are. */
export function checkpointFolder(stateDir: string, { folder }: CheckpointsConfig): string {
  return folder ?? join(stateDir, "checkpoints");
}

/** The key of the configuration or of the state folder; throws `checkpoint_key_unusable`. */
export async function checkpointKey(
  stateDir: string,
  { key }: CheckpointsConfig,
): Promise<KeyObject> {
  if (key === undefined) return await keptCheckpointKey(stateDir);
  return checked(parsed(key, createPrivateKey), "decisions.checkpoints.key", "private");
}

/** Opens a key that verifies, PEM; throws `checkpoint_key_unusable`. */
export function openVerifyingKey(pem: string, where: string): KeyObject {
  return checked(parsed(pem, createPublicKey), where, "public");
}

/** The key of a state folder, made where there is none; gateways that start at once share one. */
async function keptCheckpointKey(stateDir: string): Promise<KeyObject> {
  const pem = await keptKeyFile(stateDir, keyName, newKeyPem);
  return checked(parsed(pem, createPrivateKey), join(stateDir, keyName), "private");
}

function newKeyPem(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function parsed(pem: string, open: (pem: string) => KeyObject): KeyObject | undefined {
  try {
    return open(pem);
  } catch {
    return undefined;
  }
}

function checked(key: KeyObject | undefined, where: string, kind: string): KeyObject {
  if (key?.asymmetricKeyType === "ed25519") return key;
  const found = key === undefined ? "no key in PEM" : `a key of type ${key.asymmetricKeyType}`;
  throw new DecisionError(
    "checkpoint_key_unusable",
    `${where}: expected a ${kind} key, Ed25519, in PEM, found ${found}; make one with "openssl genpkey -algorithm ed25519"`,
  );
}
