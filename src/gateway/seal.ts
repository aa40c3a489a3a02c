/**
 * What clients carry for the gateway (state of a held call, task ids): text that only the gateway
 * can make, good for one principal and one purpose, and until its time is over. It is signed, not
 * hidden: nothing in it is a secret of the gateway.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../contract/json.ts";
import { isJsonObject } from "../contract/json.ts";

export interface SealBinding {
  /** What the text is for; text of one purpose is nothing for another. */
  readonly purpose: "held" | "upstream" | "task" | "approval";
  readonly principalKey: string;
  /** Digest of the request it belongs to, where it belongs to one. */
  readonly request?: string;
}

const macBytes = 16;
const keyBytes = 32;

export class Seal {
  readonly #key: () => Buffer;
  #known: Buffer | undefined;

  /** `key` is asked for with the first text. */
  constructor(key: () => Buffer) {
    this.#key = key;
  }

  /** `expiresMs`: wall clock; `undefined` for text that stays good. */
  close(payload: JsonObject, binding: SealBinding, expiresMs?: number): string {
    const body = { ...payload, ...(expiresMs === undefined ? {} : { exp: expiresMs }) };
    const text = Buffer.from(JSON.stringify(body)).toString("base64url");
    return `${text}.${this.#mac(text, binding)}`;
  }

  /** The payload; `undefined` where the text is not ours, is for something else, or has run out. */
  open(sealed: string, binding: SealBinding, nowMs: number): JsonObject | undefined {
    const [text, mac, more] = sealed.split(".");
    if (text === undefined || mac === undefined || more !== undefined) return undefined;
    // Compared as text: many texts decode to the same bytes.
    const given = Buffer.from(mac);
    const expected = Buffer.from(this.#mac(text, binding));
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const payload: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (!isJsonObject(payload)) return undefined;
    const { exp } = payload;
    return typeof exp === "number" && nowMs >= exp ? undefined : payload;
  }

  #mac(text: string, { purpose, principalKey, request }: SealBinding): string {
    this.#known ??= this.#key();
    const context = JSON.stringify([purpose, principalKey, request ?? null, text]);
    const digest = createHmac("sha256", this.#known).update(context).digest();
    return digest.subarray(0, macBytes).toString("base64url");
  }
}

/** Makes of digests ones that nobody makes without the key, others for each purpose. */
export function keyedDigest(key: () => Buffer): (purpose: string, digest: string) => string {
  let known: Buffer | undefined;
  return (purpose, digest) => {
    known ??= key();
    const text = JSON.stringify(["digest", purpose, digest]);
    return `hmac-sha256:${createHmac("sha256", known).update(text).digest("hex")}`;
  };
}

/** The operator's key, else one that is made once and kept in the state folder (mode 0600). */
export function sealKey(configured: string | undefined, stateDir: string): Buffer {
  if (configured !== undefined)
    return createHmac("sha256", "mcp-gateway").update(configured).digest();
  const path = join(stateDir, "seal.key");
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) makeKey(path);
  const key = Buffer.from(readFileSync(path, "utf8"), "hex");
  if (key.length === keyBytes) return key;
  throw new Error(`expected ${keyBytes} bytes in ${path}, found ${key.length}; remove the file`);
}

/** Whole or not at all: of several gateways that start at once, the first one's counts for all. */
function makeKey(path: string): void {
  const made = `${path}.${randomBytes(8).toString("hex")}`;
  writeFileSync(made, randomBytes(keyBytes).toString("hex"), {
    flag: "wx",
    mode: 0o600,
    flush: true,
  });
  try {
    linkSync(made, path);
  } catch (thrown) {
    if (!isExisting(thrown)) throw thrown;
  } finally {
    rmSync(made, { force: true });
  }
}

function isExisting(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST";
}
