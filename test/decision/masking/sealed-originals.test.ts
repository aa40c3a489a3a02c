import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { unmaskKey } from "../../../src/decision/masking/mask-key.ts";
import { unmaskRecord } from "../../../src/decision/masking/sealed-originals.ts";
import { called, masked, openMask } from "./open-mask.ts";

const secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
const key = randomBytes(32);
const masks = [{ op: "remove", path: ["input", "action", "args", "gone"] }] as const;
const paths = ["/input/action/args/list", "/input/action/args/__proto__/x"];
const args = {
  a: secret,
  gone: { deep: [1, null] },
  list: [{ b: 2 }],
  [secret]: 1,
  note: `again ${secret}`,
};

test("who holds the key has the record as it was before, names and all", () => {
  const record = called(args, { hints: { masks } });
  const { event, before, text } = masked(openMask({ unmaskKey: key, paths }), record);
  expect(text).not.toContain(secret);
  const { args_sha256: _, ...whole } = unmaskRecord(event, key);
  const { args_sha256: _plain, ...expected } = JSON.parse(before.text);
  expect(whole).toEqual(expected);
});

test("without a key nothing is sealed, and nobody has it back", () => {
  const { event } = masked(openMask(), called(args));
  expect(event).not.toHaveProperty("sealed");
  expect(() => unmaskRecord(event, key)).toThrow(
    expect.objectContaining({ code: "unmask_refused" }),
  );
});

test("another key opens nothing, and neither does a seal that was moved or changed", () => {
  const mask = openMask({ unmaskKey: key });
  const { event } = masked(mask, called(args));
  const other = masked(mask, called(args)).event;
  const refused = expect.objectContaining({ code: "unmask_refused" });
  expect(() => unmaskRecord(event, randomBytes(32))).toThrow(refused);
  expect(() => unmaskRecord({ ...event, sealed: other["sealed"] }, key)).toThrow(refused);
  expect(() => unmaskRecord({ ...event, kind: "outcome" }, key)).toThrow(refused);
  expect(() => unmaskRecord({ ...event, sealed: { box: "AAAA" } }, key)).toThrow(refused);
});

test("a record that hides nothing is what it is", () => {
  const { event } = masked(openMask(), called({ a: 1 }));
  expect(unmaskRecord(event, key)).toBe(event);
});

test("two seals of the same record differ, and show neither value nor its length's text", () => {
  const mask = openMask({ unmaskKey: key });
  const record = called(args);
  expect(masked(mask, record).event["sealed"]).not.toEqual(masked(mask, record).event["sealed"]);
});

test("an unmask key is 32 bytes, hexadecimal or base64", () => {
  const bytes = randomBytes(32);
  expect(unmaskKey(bytes.toString("hex"))).toEqual(bytes);
  expect(unmaskKey(`${bytes.toString("base64")}\n`)).toEqual(bytes);
  for (const text of ["", "short", bytes.toString("hex").slice(2)]) {
    expect(() => unmaskKey(text)).toThrow(expect.objectContaining({ code: "mask_key_unusable" }));
  }
});
