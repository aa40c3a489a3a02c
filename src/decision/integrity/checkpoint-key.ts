/**
 * The key that signs checkpoints, Ed25519. Where the configuration names none it is made once and
 * kept in the state folder: whoever can write there can sign, so a key from elsewhere is better.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CheckpointsConfig } from "../../config/config.ts";
import { codeOf } from "../../errors.ts";
import { DecisionError } from "../decision-error.ts";

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
  const path = join(stateDir, keyName);
  const pem = (await readKept(path)) ?? (await makeKey(stateDir, path));
  return checked(parsed(pem, createPrivateKey), path, "private");
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
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const draft = `${path}.${process.pid}.tmp`;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await writeFile(draft, pem, { mode: 0o600, flush: true });
  try {
    await link(draft, path);
    return pem;
  } catch (thrown) {
    if (codeOf(thrown) !== "EEXIST") throw thrown;
    return await readFile(path, "utf8");
  } finally {
    await rm(draft, { force: true });
  }
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
