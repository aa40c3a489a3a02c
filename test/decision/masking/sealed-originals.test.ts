import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { isRecord } from "../../../src/contract/json.ts";
import { unmaskKeyId } from "../../../src/decision/masking/unmask-keys.ts";
import { unmaskRecord } from "../../../src/decision/masking/sealed-originals.ts";
import { at, called, masked, openMask } from "./open-mask.ts";

const secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
const { publicKey, privateKey } = generateKeyPairSync("x25519");
const recipients = [publicKey];
const refused = expect.objectContaining({ code: "unmask_refused" });
const masks = [{ op: "remove", path: ["input", "action", "args", "gone"] }] as const;
const paths = ["/input/action/args/list", "/input/action/args/__proto__/x"];
const args = {
  a: secret,
  gone: { deep: [1, null] },
  list: [{ b: 2 }],
  [secret]: 1,
  note: `again ${secret}`,
};

type Members = Readonly<Record<string, unknown>>;

/** A record with other members in its seal. */
function resealed(event: Members, changes: Members): Members {
  const { sealed } = event;
  return { ...event, sealed: { ...(isRecord(sealed) ? sealed : {}), ...changes } };
}

test("who holds the private key has the record as it was before, names and all", () => {
  const record = called(args, { hints: { masks } });
  const { event, before, text } = masked(openMask({ recipients, paths }), record);
  expect(text).not.toContain(secret);
  const { args_sha256: _, ...whole } = unmaskRecord(event, privateKey);
  const { args_sha256: _plain, ...expected } = JSON.parse(before.text);
  expect(whole).toEqual(expected);
});

test("each of several recipients opens it, and nobody else", () => {
  const second = generateKeyPairSync("x25519");
  const other = generateKeyPairSync("x25519").privateKey;
  const mask = openMask({ recipients: [publicKey, second.publicKey] });
  const { event } = masked(mask, called({ a: secret }));
  for (const key of [privateKey, second.privateKey]) {
    expect(at(unmaskRecord(event, key), "input", "action", "args", "a")).toBe(secret);
  }
  const ids = `${unmaskKeyId(publicKey)}, ${unmaskKeyId(second.publicKey)}`;
  expect(() => unmaskRecord(event, other)).toThrow(refused);
  expect(() => unmaskRecord(event, other)).toThrow(`(${ids}), found ${unmaskKeyId(other)}`);
});

test("without a recipient nothing is sealed, and nobody has it back", () => {
  const { event } = masked(openMask(), called(args));
  expect(event).not.toHaveProperty("sealed");
  expect(() => unmaskRecord(event, privateKey)).toThrow(refused);
});

test("a seal that was moved to another record or another kind opens nothing", () => {
  const mask = openMask({ recipients });
  const { event } = masked(mask, called(args));
  const other = masked(mask, called(args, { decisionId: "another" })).event;
  expect(() => unmaskRecord(event, privateKey)).not.toThrow();
  expect(() => unmaskRecord({ ...event, sealed: other["sealed"] }, privateKey)).toThrow(refused);
  expect(() => unmaskRecord({ ...event, kind: "outcome" }, privateKey)).toThrow(refused);
});

test("a seal of another form is refused by its form, whatever is in it", () => {
  const { event } = masked(openMask({ recipients }), called(args));
  const former = { alg: "A256GCM", key_id: "0a1b2c3d", box: randomBytes(80).toString("base64") };
  for (const sealed of [former, {}, { box: "AAAA" }, { alg: 7 }]) {
    const open = () => unmaskRecord({ ...event, sealed }, privateKey);
    expect(open).toThrow(refused);
    expect(open).toThrow("found another, which this version cannot open");
  }
  for (const to of [undefined, "x", [], [null], [{ key_id: {} }], [{ key_id: "<b>" }]]) {
    expect(() => unmaskRecord(resealed(event, { to }), privateKey)).toThrow("sealed to (nobody)");
  }
});

describe("a seal with one character changed", () => {
  const { event } = masked(openMask({ recipients }), called({ a: secret }));
  const text = JSON.stringify(event["sealed"]);

  test("opens nothing, whichever it is, and says nothing of what is inside", () => {
    const messages = new Set<string>();
    for (const index of text.split("").keys()) {
      const changed = text.charAt(index) === "A" ? "B" : "A";
      const sealed = jsonOf(`${text.slice(0, index)}${changed}${text.slice(index + 1)}`);
      if (!isRecord(sealed)) continue;
      const open = () => unmaskRecord({ ...event, sealed }, privateKey);
      expect(open, `character ${index} of ${text}`).toThrow(refused);
      messages.add(messageOf(open));
    }
    expect([...messages].join()).not.toContain(secret);
    expect(messages.size).toBeGreaterThan(2);
  });

  test("opens nothing for any bit of its boxes, and nothing shortened or made longer", () => {
    const [entry] = [at(event, "sealed", "to", "0")].filter(isRecord);
    if (entry === undefined) throw new Error("expected a recipient");
    const members: readonly (readonly [string, (box: string) => Members])[] = [
      [String(at(event, "sealed", "box")), (box) => ({ box })],
      [String(entry["enc"]), (enc) => ({ to: [{ ...entry, enc }] })],
      [String(entry["key"]), (key) => ({ to: [{ ...entry, key }] })],
    ];
    for (const [box, changes] of members) {
      const bytes = Buffer.from(box, "base64");
      const flipped = Array.from({ length: bytes.length * 8 }, (_, bit) => {
        const copy = Buffer.from(bytes);
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return copy;
      });
      const cut = [
        bytes.subarray(1),
        bytes.subarray(0, -1),
        bytes.subarray(0, 12),
        Buffer.alloc(0),
      ];
      for (const wrong of [...flipped, ...cut, Buffer.concat([bytes, Buffer.of(0)])]) {
        const record = resealed(event, changes(wrong.toString("base64")));
        expect(() => unmaskRecord(record, privateKey)).toThrow(refused);
      }
      expect(() => unmaskRecord(resealed(event, changes(`${box}\n`)), privateKey)).toThrow(refused);
    }
  });
});

test("a record that hides nothing is what it is", () => {
  const { event } = masked(openMask({ recipients }), called({ a: 1 }));
  expect(unmaskRecord(event, privateKey)).toBe(event);
});

test("two seals of the same record differ, and hold neither value nor key", () => {
  const mask = openMask({ recipients });
  const record = called(args);
  const [one, two] = [masked(mask, record), masked(mask, record)];
  expect(at(one.event, "sealed", "box")).not.toEqual(at(two.event, "sealed", "box"));
  expect(at(one.event, "sealed", "to", "0", "key_id")).toBe(unmaskKeyId(privateKey));
});

describe("the content key", () => {
  const keyOf = (event: Members) => at(event, "sealed", "to", "0", "enc");

  test("is another after an hour, in another mask, and the records of both open", () => {
    let nowMs = 5;
    const mask = openMask({ recipients, monotonicMs: () => nowMs });
    const seal = () => masked(mask, called({ a: secret })).event;
    const first = seal();
    nowMs += 3_599_999;
    const same = seal();
    nowMs += 1;
    const later = seal();
    const elsewhere = masked(openMask({ recipients }), called({ a: secret })).event;
    expect(keyOf(same)).toBe(keyOf(first));
    expect(new Set([first, later, elsewhere].map(keyOf)).size).toBe(3);
    for (const event of [first, same, later, elsewhere]) {
      expect(at(unmaskRecord(event, privateKey), "input", "action", "args", "a")).toBe(secret);
    }
  });

  test("does not open with the public key, which is all that gateways have", () => {
    const { event } = masked(openMask({ recipients }), called({ a: secret }));
    expect(() => unmaskRecord(event, publicKey)).toThrow(refused);
    expect(() => unmaskRecord(event, createPublicKey(privateKey))).toThrow(refused);
  });
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    return String(thrown);
  }
  return "";
}
