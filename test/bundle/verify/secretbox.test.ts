import { describe, expect, test } from "vitest";
import { openSecretBox } from "../../../src/bundle/verify/secretbox.ts";

/** The example of NaCl's own documentation (crypto_secretbox). */
const key = Buffer.from("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389", "hex");
const nonce = Buffer.from("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37", "hex");
const message = Buffer.from(
  "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705",
  "hex",
);
const box = Buffer.from(
  "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5",
  "hex",
);

function flipped(bytes: Buffer, at: number): Buffer {
  return Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ 1 : byte)));
}

describe("a secret box", () => {
  test("opens with its key", () => {
    expect(openSecretBox(box, key, nonce)).toEqual(message);
  });

  test("does not open after one bit of it, its key or its nonce has changed", () => {
    for (const at of [0, 15, 16, box.length - 1]) {
      expect(openSecretBox(flipped(box, at), key, nonce)).toBeUndefined();
    }
    expect(openSecretBox(box, flipped(key, 31), nonce)).toBeUndefined();
    for (const at of [0, 23]) expect(openSecretBox(box, key, flipped(nonce, at))).toBeUndefined();
  });

  test("is none where its parts have other lengths", () => {
    expect(openSecretBox(box.subarray(0, 15), key, nonce)).toBeUndefined();
    expect(openSecretBox(box, key.subarray(1), nonce)).toBeUndefined();
    expect(openSecretBox(box, key, nonce.subarray(1))).toBeUndefined();
  });
});
