import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { isRecord } from "../../../src/contract/json.ts";
import { OriginalsSeal, sealBinding } from "../../../src/decision/masking/originals-seal.ts";
import { unmaskKeyId } from "../../../src/decision/masking/unmask-keys.ts";
import { at, called, masked, openMask, unmaskRecord } from "./open-mask.ts";

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

type Pairs = readonly (readonly [string, string])[];

/** What somebody with nothing but the public key can put into the store. */
function forged(values: Pairs, extra: Members = {}, names: Pairs = []): Members {
  const seal = new OriginalsSeal(recipients, () => 0);
  const originals = { values: new Map(values), names: new Map(names) };
  const sealed = seal.seal(originals, sealBinding("admission", "x"));
  const base = { kind: "admission", decision_id: "x", tenant: "t", a: { b: 1 } };
  return { ...base, masked: ["/a/b"], sealed, ...extra };
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

test("a whole record that was moved to another row opens nothing, and neither does one that hides nothing", () => {
  const { event } = masked(openMask({ recipients }), called(args, { decisionId: "b" }));
  const open = masked(openMask({ recipients }), called({ a: 1 }, { decisionId: "b" })).event;
  const row = { kind: "admission", decisionId: "b" };
  expect(at(unmaskRecord(event, privateKey, row), "input", "action", "args", "a")).toBe(secret);
  for (const place of [row, undefined]) expect(unmaskRecord(open, privateKey, place)).toBe(open);
  const wrong = [{ decisionId: "a" }, { kind: "outcome" }].map((more) => ({ ...row, ...more }));
  for (const [record, place] of [event, open].flatMap((one) =>
    wrong.map((w) => [one, w] as const),
  )) {
    const moved = () => unmaskRecord(record, privateKey, place);
    expect(moved).toThrow(refused);
    expect(moved).toThrow('"audit verify"');
  }
});

describe("a seal that somebody forged", () => {
  test("writes where the record says that something is hidden, and nowhere else", () => {
    const pointers = ["/a/b", "/a/c", "/a", "/tenant", "/decision_id", ""];
    const values = pointers.map((pointer) => [pointer, "2"] as const);
    const whole = { kind: "admission", decision_id: "x", tenant: "t", a: { b: 2 } };
    expect(unmaskRecord(forged(values), privateKey)).toEqual(whole);
    const names = [["tenant", "u"]] as const;
    expect(unmaskRecord(forged(values, {}, names), privateKey)).toEqual(whole);
  });

  test.each(["/decision_id", "/kind"])("does not make another record of it: %j", (pointer) => {
    const listed = { masked: [pointer] };
    const renamed = forged([], listed, [[pointer.slice(1), "other"]]);
    for (const record of [forged([[pointer, '"y"']], listed), renamed])
      expect(() => unmaskRecord(record, privateKey)).toThrow(refused);
  });

  test("adds no member where the object of what it names is not there", () => {
    const masked = ["/a/none/deep", "/gone", "/a/b/c"];
    const values = masked.map((pointer) => [pointer, "1"] as const);
    const { a, masked: left, ...others } = unmaskRecord(forged(values, { masked }), privateKey);
    expect(a).toStrictEqual({ b: 1 });
    expect(left).toEqual(masked);
    expect(Object.keys(others)).toEqual(["kind", "decision_id", "tenant"]);
  });
});

test("whatever stands in the store, it is refused by its code, and nothing of it is quoted", () => {
  const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const strange: unknown = JSON.parse('{"toString":"tiger"}');
  const hostile: readonly Members[] = [
    forged([["/a/b", "tiger no json"]]),
    forged([["/a/b", deep(100_000)]]),
    forged([["/a/b", deep(2000)]]),
    forged([], { a: JSON.parse(deep(100_000)) }, [["q", "r"]]),
    forged([], { kind: strange }),
    forged([], { decision_id: strange }),
    forged([], { masked: strange }),
    forged([], { masked: [strange] }),
    forged([], { erased: "tiger" }),
    resealed(forged([]), { to: [{ key_id: unmaskKeyId(publicKey), enc: strange, key: strange }] }),
    resealed(forged([]), { box: strange }),
  ];
  for (const [index, record] of hostile.entries()) {
    const open = () => unmaskRecord(record, privateKey);
    expect(open, `record ${index}`).toThrow(refused);
    expect(messageOf(open)).not.toContain("tiger");
    expect(open).toThrow(expect.not.objectContaining({ cause: expect.anything() }));
  }
});

describe("what was not put back", () => {
  const configured = "configured-secret-1";
  const openedOf = (sent: object) => {
    const mask = openMask({ recipients, secrets: [configured] });
    return unmaskRecord(masked(mask, called(sent)).event, privateKey);
  };

  test("stays in the list, by the name that it has now", () => {
    const sent = { a: `x ${configured}`, b: secret, [secret]: { c: configured } };
    const opened = openedOf(sent);
    const token = expect.stringContaining("masked:hmac:");
    const shown = { a: token, b: secret, [secret]: { c: token } };
    expect(at(opened, "input", "action", "args")).toEqual(shown);
    const left = ["/input/action/args/a", `/input/action/args/${secret}/c`];
    expect(new Set([opened["masked"]].flat())).toEqual(new Set(left));
    for (const gone of ["erased", "sealed"]) expect(opened).not.toHaveProperty(gone);
  });

  test("stays in the list though something else of the same text or name is back", () => {
    const opened = openedOf({ a: `${configured} ${secret}`, [`${configured} ${secret}`]: 1 });
    const [first, second] = [opened["masked"]].flat();
    expect(first).toBe("/input/action/args/a");
    expect(second).toMatch(/^\/input\/action\/args\/masked:hmac:[0-9a-f]{32} ghp_/);
  });

  test("is listed as erased where it is not there", () => {
    const { event } = masked(openMask({ recipients, paths }), called(args));
    const opened = unmaskRecord({ ...event, erased: ["/input/else/x"] }, privateKey);
    expect(opened["erased"]).toEqual(["/input/else/x"]);
    expect(opened).not.toHaveProperty("masked");
  });
});

test("what is below a name that was hidden later comes back too", () => {
  const sent = { pin: "tiger cub", "tiger cub": { x: `tiger cub ${secret}`, [secret]: 1 } };
  const hints = { argumentsSchema: { properties: { pin: { writeOnly: true } } } };
  const { event } = masked(openMask({ recipients }), called(sent, { hints }));
  expect(JSON.stringify(event["input"])).not.toMatch(/tiger|ghp_/);
  const opened = unmaskRecord(event, privateKey);
  expect(at(opened, "input", "action", "args")).toEqual(sent);
  expect(opened).not.toHaveProperty("masked");
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
