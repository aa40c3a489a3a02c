/**
 * The vector of RFC 9180 for this suite (mode 0, KEM 0x0020, KDF 0x0001, AEAD 0x0002), message 0, from
 * the published `test-vectors.json`.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openBase, rawPublicKey, sealBase } from "../../../src/decision/masking/hpke.ts";

const vector = {
  info: "4f6465206f6e2061204772656369616e2055726e",
  skRm: "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d",
  pkRm: "430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c",
  skEm: "179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11",
  enc: "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256",
  aad: "436f756e742d30",
  pt: "4265617574792069732074727574682c20747275746820626561757479",
  ct: "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a",
};
const bytes = (hex: string) => Buffer.from(hex, "hex");
const pkcs8 = "302e020100300506032b656e04220420";
const spki = "302a300506032b656e032100";
const context = { info: bytes(vector.info).toString(), aad: bytes(vector.aad).toString() };

function privateKey(raw: string): KeyObject {
  return createPrivateKey({ key: bytes(pkcs8 + raw), format: "der", type: "pkcs8" });
}

function publicKey(raw: string): KeyObject {
  return createPublicKey({ key: bytes(spki + raw), format: "der", type: "spki" });
}

describe("the vector of RFC 9180", () => {
  test("is sealed to its ciphertext", () => {
    const ephemeral = { privateKey: privateKey(vector.skEm), publicKey: publicKey(vector.enc) };
    const sealed = sealBase(publicKey(vector.pkRm), context, bytes(vector.pt), ephemeral);
    expect(sealed.enc.toString("hex")).toBe(vector.enc);
    expect(sealed.sealed.toString("hex")).toBe(vector.ct);
  });

  test("is opened to its plaintext", () => {
    const message = { enc: bytes(vector.enc), sealed: bytes(vector.ct) };
    const opened = openBase(privateKey(vector.skRm), context, message);
    expect(opened.toString("hex")).toBe(vector.pt);
    expect(rawPublicKey(createPublicKey(privateKey(vector.skRm))).toString("hex")).toBe(
      vector.pkRm,
    );
  });
});

const unopened = /unable to authenticate data|authentication tag/;
const underived = /derivation|diffie/i;

describe("a message", () => {
  const own = generateKeyPairSync("x25519");
  const text = Buffer.from("thirty-two bytes of content key.");
  const sealed = sealBase(own.publicKey, context, text);

  test("is sealed under another key each time, and opens for its recipient", () => {
    const again = sealBase(own.publicKey, context, text);
    expect(again.enc).not.toEqual(sealed.enc);
    expect(again.sealed).not.toEqual(sealed.sealed);
    expect(openBase(own.privateKey, context, sealed)).toEqual(text);
  });

  test("opens for nobody else, for nothing else, and not with a byte changed or missing", () => {
    const other = generateKeyPairSync("x25519").privateKey;
    expect(() => openBase(other, context, sealed)).toThrow(unopened);
    expect(() => openBase(own.privateKey, { ...context, info: "other" }, sealed)).toThrow(unopened);
    expect(() => openBase(own.privateKey, { ...context, aad: "other" }, sealed)).toThrow(unopened);
    for (const part of ["enc", "sealed"] as const) {
      for (const index of sealed[part].keys()) {
        const changed = Buffer.from(sealed[part]);
        // Bit 255 of a point is masked by X25519, and counts here all the same: it is in the context.
        changed[index] = (changed[index] ?? 0) ^ 0x80;
        expect(() => openBase(own.privateKey, context, { ...sealed, [part]: changed })).toThrow(
          unopened,
        );
      }
    }
    const short = { ...sealed, sealed: sealed.sealed.subarray(0, -1) };
    expect(() => openBase(own.privateKey, context, short)).toThrow(unopened);
    const bare = { ...sealed, sealed: Buffer.alloc(0) };
    expect(() => openBase(own.privateKey, context, bare)).toThrow(unopened);
  });

  test("is not sealed to a point of small order, whose secret everybody knows", () => {
    expect(() => sealBase(publicKey("00".repeat(32)), context, text)).toThrow(underived);
    expect(() => sealBase(publicKey(`01${"00".repeat(31)}`), context, text)).toThrow(underived);
  });
});
