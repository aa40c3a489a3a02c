/**
 * Unmasking is a role: with all that a gateway has, its configuration, its variables, the files of its
 * folders, nobody opens what it sealed, and with the private key of a recipient somebody does.
 */
import { createDecipheriv, createPrivateKey, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { openBase, rawPublicKey } from "../../src/decision/masking/hpke.ts";
import type { HpkeMessage } from "../../src/decision/masking/hpke.ts";
import { contentKeyContext, sealBinding } from "../../src/decision/masking/originals-seal.ts";
import { unmaskRecord } from "../../src/decision/masking/sealed-originals.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";
import { filesBelow } from "./planted-secrets.ts";
import type { Left } from "./planted-secrets.ts";

const timeoutMs = 120_000;
const secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
const { publicKey, privateKey } = generateKeyPairSync("x25519");
const rawPrivate = rawKey(privateKey);

interface Seal {
  readonly message: HpkeMessage;
  readonly box: Buffer;
  readonly binding: string;
}

test("what a gateway has does not open what it sealed", { timeout: timeoutMs }, async () => {
  const env = freshEnvironment({});
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const recipients = ["${file:unmask.pub.pem}"];
  const config = writeFixtureConfig({ ok: {} }, { decisions: { masking: { recipients } } });
  writeFileSync(join(dirname(config), "unmask.pub.pem"), pem);
  const client = await startRawClient(serveCommand(config, env));
  await client.request("tools/list");
  await client.call("ok__echo", { note: `use ${secret}` });
  expect(await client.end()).toBe(0);
  const got = await runBin(["decision", "get", "last", "-o", "json", "--config", config], env);
  const { admission } = JSON.parse(got.stdout);

  const left = everythingOf(config, env);
  const hidden = [secret, ...formsOf(rawPrivate)];
  for (const { where, text } of left) {
    const found = hidden.filter((form) => text.includes(form));
    expect(found, where).toEqual([]);
  }

  const { to, box } = admission.sealed;
  const seal = {
    message: { enc: unboxed(to[0].enc), sealed: unboxed(to[0].key) },
    box: unboxed(box),
    binding: sealBinding("admission", admission.decision_id),
  };
  const candidates = candidatesIn(left);
  const tried = new Set(candidates.map((bytes) => bytes.toString("hex")));
  expect(tried).toContain(rawPublicKey(publicKey).toString("hex"));
  expect(tried.size).toBeGreaterThan(20);
  for (const bytes of candidates) {
    expect(opensAnything(bytes, seal)).toBe(false);
  }

  expect(opensAnything(rawPrivate, seal)).toBe(true);
  const row = { kind: "admission", decisionId: String(admission.decision_id) };
  expect(unmaskRecord(admission, privateKey, row)).toMatchObject({
    input: { action: { args: { note: `use ${secret}` } } },
  });
});

/** Of the gateway: as it reads its configuration, the variables, and all files of its folders. */
function everythingOf(config: string, env: Readonly<Record<string, string>>): readonly Left[] {
  const loaded = loadConfig({ path: config, env });
  const files = [dirname(config), String(env["MCP_GATEWAY_STATE"])].flatMap(filesBelow);
  expect(files.map(({ where }) => where).join()).toContain("mask.key");
  return [
    { where: "the configuration", text: JSON.stringify(loaded.config) },
    { where: "the environment", text: Object.values(env).join("\n") },
    ...files,
  ];
}

/** Whatever may be a key of 32 bytes, as it is or as somebody would write it. */
function candidatesIn(left: readonly Left[]): readonly Buffer[] {
  const found = left.flatMap(({ text }) => {
    const bytes = Buffer.from(text, "latin1");
    const hex = text.match(/[0-9a-fA-F]{64}/g) ?? [];
    const base64 = text.match(/[A-Za-z0-9+/_-]{43,}={0,2}/g) ?? [];
    const decoded = base64.flatMap((one) => endsOf(Buffer.from(one, "base64")));
    return [...hex.map((one) => Buffer.from(one, "hex")), ...decoded, ...endsOf(bytes)];
  });
  const keys = found.filter(({ length }) => length === 32);
  return [...new Map(keys.map((bytes) => [bytes.toString("hex"), bytes])).values()];
}

function endsOf(bytes: Buffer): readonly Buffer[] {
  return [bytes.subarray(0, 32), bytes.subarray(-32)];
}

/** As a private key of a recipient, and as the key of the box itself. */
function opensAnything(bytes: Buffer, { message, box, binding }: Seal): boolean {
  const contentKey = attempt(() => openBase(privateKeyOf(bytes), contentKeyContext, message));
  return [bytes, ...(contentKey === undefined ? [] : [contentKey])].some(
    (key) => attempt(() => openBox(box, key, binding)) !== undefined,
  );
}

function attempt<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

function openBox(box: Buffer, key: Buffer, binding: string): string {
  const decipher = createDecipheriv("aes-256-gcm", key, box.subarray(0, 12))
    .setAAD(Buffer.from(binding))
    .setAuthTag(box.subarray(-16));
  return decipher.update(box.subarray(12, -16)).toString() + decipher.final().toString();
}

function unboxed(text: string): Buffer {
  return Buffer.from(text, "base64");
}

function privateKeyOf(raw: Buffer): KeyObject {
  const der = Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), raw]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

function rawKey(key: KeyObject): Buffer {
  return key.export({ type: "pkcs8", format: "der" }).subarray(-32);
}

function formsOf(raw: Buffer): readonly string[] {
  const pem = privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
  const hex = raw.toString("hex");
  const base64 = raw.toString("base64").replace(/=+$/, "");
  return [hex, hex.toUpperCase(), base64, raw.toString("base64url"), raw.toString("latin1"), pem];
}
