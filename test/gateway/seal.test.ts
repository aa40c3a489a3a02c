import fc from "fast-check";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/contract/json.ts";
import type { SealBinding } from "../../src/gateway/seal.ts";
import { keyedDigest, Seal, sealKey } from "../../src/gateway/seal.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const seal = new Seal(() => Buffer.alloc(32, 7));
const binding: SealBinding = { purpose: "held", principalKey: "p", request: "r" };
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. !".split("");

describe("a keyed digest", () => {
  const of = (byte: number) => keyedDigest(() => Buffer.alloc(32, byte));

  test("is the same for the same digest, and another under another key or for another purpose", () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const one = of(7)("arguments", digest);
    expect(one).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
    expect(of(7)("arguments", digest)).toBe(one);
    const others = [of(8)("arguments", digest), of(7)("binding", digest), of(7)("arguments", "")];
    expect(new Set([one, ...others]).size).toBe(4);
  });

  test("asks for its key when it is used, and once", () => {
    let asked = 0;
    const keyed = keyedDigest(() => {
      asked += 1;
      return Buffer.alloc(32);
    });
    expect(asked).toBe(0);
    keyed("a", "b");
    keyed("a", "c");
    expect(asked).toBe(1);
  });
});

describe("a sealed text", () => {
  test("opens to what was put in, for the same purpose, principal and request", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (payload) => {
        const { exp: _, ...rest } = payload;
        const plain: JsonObject = JSON.parse(JSON.stringify(rest));
        expect(seal.open(seal.close(plain, binding), binding, 0)).toEqual(plain);
      }),
    );
  });

  test("is made of characters that survive everywhere", () => {
    expect(seal.close({ a: "ä/+?" }, binding)).toMatch(/^[\w-]+\.[\w-]+$/);
  });

  test("with any one character changed, added or left out is none", () => {
    const text = seal.close({ id: "1", more: "text" }, binding, 1000);
    const places = Array.from({ length: text.length + 1 }, (_, at) => at);
    const forged = places.flatMap((at) => [
      text.slice(0, at) + text.slice(at + 1),
      ...letters.flatMap((letter) => [
        text.slice(0, at) + letter + text.slice(at + 1),
        text.slice(0, at) + letter + text.slice(at),
      ]),
    ]);
    const others = forged.filter((candidate) => candidate !== text);
    expect(others.length).toBeGreaterThan(9000);
    expect(others.filter((candidate) => seal.open(candidate, binding, 0) !== undefined)).toEqual(
      [],
    );
  });

  test("is not made by anybody who has not the key", () => {
    const other = new Seal(() => Buffer.alloc(32, 8));
    fc.assert(
      fc.property(fc.string(), fc.base64String(), (garbage, text) => {
        expect(seal.open(garbage, binding, 0)).toBeUndefined();
        expect(seal.open(`${text}.${text}`, binding, 0)).toBeUndefined();
        expect(seal.open(other.close({ id: garbage }, binding), binding, 0)).toBeUndefined();
      }),
    );
  });

  test.each([
    ["purpose", { ...binding, purpose: "upstream" as const }],
    ["principal", { ...binding, principalKey: "q" }],
    ["request", { ...binding, request: "s" }],
    ["request that is none", { purpose: binding.purpose, principalKey: "p" }],
  ])("is none for another %s", (_, other) => {
    expect(seal.open(seal.close({ id: "1" }, binding), other, 0)).toBeUndefined();
  });

  test("binds each part for itself, so that no two bindings meet", () => {
    const text = seal.close({}, { purpose: "held", principalKey: "a", request: "b" });
    for (const [principalKey, request] of [
      ["ab", ""],
      ["", "ab"],
      ['a","b', ""],
    ] as const) {
      expect(seal.open(text, { purpose: "held", principalKey, request }, 0)).toBeUndefined();
    }
  });

  test("is good until its time, and without one for ever", () => {
    const text = seal.close({ id: "1" }, binding, 1000);
    expect(seal.open(text, binding, 999)).toMatchObject({ id: "1" });
    expect(seal.open(text, binding, 1000)).toBeUndefined();
    expect(seal.open(seal.close({ id: "1" }, binding), binding, 1e15)).toEqual({ id: "1" });
  });
});

describe("the key of seals", () => {
  test("is made once, for this user alone, and found again", () => {
    const folder = join(temporaryFolder(), "state");
    const key = sealKey(undefined, folder);
    expect(key).toHaveLength(32);
    expect(statSync(join(folder, "seal.key")).mode & 0o777).toBe(0o600);
    expect(sealKey(undefined, folder)).toEqual(key);
    expect(sealKey(undefined, join(temporaryFolder(), "other"))).not.toEqual(key);
  });

  test("is the operator's where there is one, the same on every replica", () => {
    const folders = [temporaryFolder(), temporaryFolder()];
    const [first, second] = folders.map((folder) => sealKey("configured", folder));
    expect(first).toEqual(second);
    expect(first).not.toEqual(sealKey("another", temporaryFolder()));
  });

  test("is asked for with the first text", () => {
    let asked = 0;
    const lazy = new Seal(() => {
      asked += 1;
      return Buffer.alloc(32);
    });
    expect(asked).toBe(0);
    lazy.close({}, binding);
    lazy.close({}, binding);
    expect(asked).toBe(1);
  });
});
