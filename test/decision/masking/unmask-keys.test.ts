import { execFileSync } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  openUnmaskKey,
  recipientKeys,
  unmaskKeyId,
} from "../../../src/decision/masking/unmask-keys.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const folder = temporaryFolder();
const openssl = (...args: readonly string[]) => execFileSync("openssl", args, { cwd: folder });
const pemOf = (type: "x25519" | "ed25519") => {
  // The types of the two differ.
  const pair = type === "x25519" ? generateKeyPairSync("x25519") : generateKeyPairSync("ed25519");
  return {
    open: pair.publicKey.export({ type: "spki", format: "pem" }).toString(),
    secret: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
};

test("keys that openssl made are taken, and named as openssl would name them", () => {
  openssl("genpkey", "-algorithm", "X25519", "-out", "unmask.pem");
  openssl("pkey", "-in", "unmask.pem", "-pubout", "-out", "unmask.pub.pem");
  const read = (name: string) => execFileSync("cat", [join(folder, name)]).toString();
  const key = openUnmaskKey(read("unmask.pem"), undefined, "--key");
  const [recipient] = recipientKeys({ recipients: [read("unmask.pub.pem")] });
  const der = openssl("pkey", "-pubin", "-in", "unmask.pub.pem", "-outform", "DER");
  const id = createHash("sha256").update(der).digest("hex").slice(0, 16);
  expect(unmaskKeyId(key)).toBe(id);
  expect(recipient === undefined ? "" : unmaskKeyId(recipient)).toBe(id);
});

test("a recipient that nothing can be sealed to is refused by its place", () => {
  const recipients = [pemOf("x25519").open, pemOf("ed25519").open];
  expect(() => recipientKeys({ recipients })).toThrow(
    expect.objectContaining({
      code: "mask_key_unusable",
      message: expect.stringMatching(/recipients\.1: .*found one of type ed25519/),
    }),
  );
});

describe("a private key", () => {
  const { privateKey } = generateKeyPairSync("x25519");
  const locked = privateKey
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "tiger" })
    .toString();

  test("is opened with its password, and without it says which variable", () => {
    expect(unmaskKeyId(openUnmaskKey(locked, "tiger", "--key"))).toBe(unmaskKeyId(privateKey));
    expect(() => openUnmaskKey(locked, undefined, "--key")).toThrow(
      "one that needs the password in MCP_GATEWAY_UNMASK_PASSWORD",
    );
    expect(() => openUnmaskKey(locked, "lion", "--key")).toThrow(
      "one that is not opened by the password in MCP_GATEWAY_UNMASK_PASSWORD",
    );
  });

  test.each([
    ["a public key, which seals", pemOf("x25519").open],
    ["one of type ed25519", pemOf("ed25519").secret],
    ["none", "hunter2 hunter2"],
    ["none", "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"],
    ["none", ""],
  ])("is refused where there is %s, and the message has nothing of it", (found, text) => {
    const open = () => openUnmaskKey(text, undefined, "--key");
    expect(open).toThrow(expect.objectContaining({ code: "mask_key_unusable" }));
    expect(open).toThrow(`--key: expected a private key, X25519, in PEM, found ${found}`);
    expect(open).not.toThrow("hunter2");
  });
});
