/**
 * Records that somebody made to get a secret through, or to keep the gateway busy.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { MaskTokens } from "../../../src/decision/masking/mask-token.ts";
import { admission } from "../sample-records.ts";
import { at, called, masked, openMask, token, unmaskRecord } from "./open-mask.ts";

const key = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
const plain = `sha256:${"0".repeat(64)}`;
const unmaskKey = generateKeyPairSync("x25519");
const recipients = [unmaskKey.publicKey];
const pinSchema = { properties: { pin: { writeOnly: true } } };
const argsOf = (event: unknown) => at(event, "input", "action", "args");

/** A call whose arguments are this JSON text. */
function sent(argsJson: string, changes: Parameters<typeof admission>[0] = {}) {
  return admission({ inputJson: `{"action":{"tool":"t","args":${argsJson}}}`, ...changes });
}

describe("a name that is a secret, and nothing else", () => {
  test("is listed where it stands, comes back with the key, and the digest is keyed", () => {
    const tokens = new MaskTokens(randomBytes(32));
    const record = called({ a: { [key]: 1 } }, { argsSha256: plain });
    const { event, text } = masked(openMask({ tokens, recipients }), record);
    expect(text).not.toContain(key);
    expect(event["masked"]).toEqual([`/input/action/args/a/${tokens.token(key)}`]);
    expect(event["args_sha256"]).toBe(tokens.digest(plain));
    expect(argsOf(unmaskRecord(event, unmaskKey.privateKey))).toEqual({ a: { [key]: 1 } });
  });
});

describe("digests", () => {
  test("are keyed where masking failed: all that was sent may have been short", () => {
    const tokens = new MaskTokens(randomBytes(32));
    const find = (): never => {
      throw new Error("broken");
    };
    const mask = openMask({ tokens, detectors: { find, kindsIn: find } });
    const { event, header } = masked(mask, called({ pin: "1234" }, { argsSha256: plain }));
    expect(event["erased"]).toEqual(["/input/action/args"]);
    expect(event["args_sha256"]).toBe(tokens.digest(plain));
    expect(header).toContain(tokens.digest(plain));
  });

  test("are keyed whatever an argument of that name says", () => {
    const record = sent(`{"args_sha256":"sha256:00","pin":"1"}`, {
      argsSha256: plain,
      hints: { argumentsSchema: pinSchema },
    });
    expect(masked(openMask(), record).text).not.toContain(plain);
  });
});

describe("numbers", () => {
  test.each(["4111111111111111.0", "4.111111111111111e15", "-4111111111111111"])(
    "a card is found in %s",
    (number) => {
      const { event, text } = masked(openMask(), sent(`{"a":${number},"b":4111111111111111}`));
      expect(text).not.toContain(number);
      expect(argsOf(event)).toEqual({
        a: at(event, "input", "action", "args", "b"),
        b: at(event, "input", "action", "args", "a"),
      });
      expect(at(event, "input", "action", "args", "a")).toMatch(token);
    },
  );

  test("that are hidden are hidden in any other form", () => {
    const hints = { argumentsSchema: pinSchema };
    const { event } = masked(
      openMask(),
      sent(`{"pin":1234,"b":1234.0,"c":12.34e2,"d":1235}`, { hints }),
    );
    expect(argsOf(event)).toEqual({
      pin: expect.stringMatching(token),
      b: expect.stringMatching(token),
      c: expect.stringMatching(token),
      d: 1235,
    });
  });

  test("that hide nothing stay as they are written", () => {
    const args = `{"a":-1.50,"b":1E400,"c":0.0,"d":12345678901234567890.10}`;
    expect(masked(openMask(), sent(args)).text).toContain(args);
  });
});

describe("a private key whose lines are items", () => {
  const lines = [
    "x",
    "-----BEGIN PRIVATE KEY-----",
    "MIIEvQ",
    "Zg==",
    "-----END PRIVATE KEY-----",
    "y",
  ];

  test("is hidden to its end, as texts and as blocks of content", () => {
    const blocks = lines.map((text) => ({ type: "text", text }));
    const { event, text } = masked(
      openMask({ recipients }),
      called({ lines, blocks, after: "MI" }),
    );
    expect(text).not.toMatch(/MIIEvQ|"Zg=="/);
    const hidden = expect.stringMatching(token);
    const shown = ["x", hidden, hidden, hidden, hidden, "y"];
    expect(argsOf(event)).toEqual({
      lines: shown,
      blocks: shown.map((one: unknown) => ({ type: "text", text: one })),
      after: "MI",
    });
    expect(argsOf(unmaskRecord(event, unmaskKey.privateKey))).toEqual({
      lines,
      blocks,
      after: "MI",
    });
  });

  test("is hidden though one of its lines stood in an earlier record", () => {
    const mask = openMask();
    expect(masked(mask, called({ lines: ["MIIEvQ"] })).text).toContain("MIIEvQ");
    expect(masked(mask, called({ lines })).text).not.toContain("MIIEvQ");
  });

  test("hides nothing in other places, so that nobody hides what a policy said", () => {
    const base = called({ lines: ["-----BEGIN PRIVATE KEY-----", "a"], note: "stays" });
    const record = { ...base, answer: { ...base.answer, reasons: ["said by policy"] } };
    const { event } = masked(openMask(), record);
    expect(at(event, "result", "reasons")).toEqual(["said by policy"]);
    expect(at(argsOf(event), "note")).toBe("stays");
  });

  test("is nobody's business where keys are not looked for", () => {
    const { event } = masked(openMask({ kinds: ["payment_card"] }), called({ lines }));
    expect(argsOf(event)).toEqual({ lines });
  });
});

describe("much at once", () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `word ${index}`);

  test("what is in an object behind so many characters is hidden with it, wherever it is repeated", () => {
    const long = Array.from({ length: 1400 }, (_, index) => `${index} ${"y".repeat(96)}`);
    const args = { a: long, b: { pin: "tiger" }, note: "tiger" };
    const record = called(args, {
      hints: { argumentsSchema: { properties: { b: pinSchema } } },
    });
    const { event, text } = masked(openMask({ recipients, monotonicMs: () => 0 }), record);
    expect(text).not.toContain("tiger");
    const [, ...behind] = Object.values(Object(argsOf(event)));
    expect(behind).toEqual([expect.stringMatching(token), expect.stringMatching(token)]);
    expect(argsOf(unmaskRecord(event, unmaskKey.privateKey))).toEqual(args);
  });

  test("of a record with thousands of texts behind them nothing is kept, however fast it is", () => {
    const mask = openMask({ monotonicMs: () => 0 });
    const { event } = masked(mask, called({ a: many(30_000), b: key }));
    expect(event["erased"]).toEqual(["/input/action/args"]);
  });

  test("hundreds of secrets are looked for, and where there are more everything goes", () => {
    const secrets = (count: number) =>
      Array.from({ length: count }, (_, index) => `s-${index}-word`);
    const mask = openMask({ paths: ["/input/action/args/p/*"], monotonicMs: () => 0 });
    const few = masked(mask, called({ p: secrets(500), t: "a s-7-word b", u: "nothing" }));
    expect(at(argsOf(few.event), "t")).toMatch(/^a masked:hmac:[0-9a-f]{32} b$/);
    expect(at(argsOf(few.event), "u")).toBe("nothing");
    const all = masked(mask, called({ p: secrets(600), t: "a s-599-word b", u: "nothing else" }));
    expect(at(argsOf(all.event), "t")).toMatch(token);
    expect(at(argsOf(all.event), "u")).toMatch(token);
  });

  test("nesting that no stack holds is erased", () => {
    const deep = `${"[".repeat(100_000)}"${key}"${"]".repeat(100_000)}`;
    const { event, text } = masked(openMask(), sent(`{"a":${deep}}`));
    expect(text).not.toContain(key);
    expect(event["erased"]).toEqual(["/input/action/args"]);
  });
});

test("what comes twice under one name is hidden both times", () => {
  const { text } = masked(openMask(), sent(`{"a":"${key}","a":"ok","b":{"c":"no","c":"${key}"}}`));
  expect(text).not.toContain(key);
});

test("a key is found behind escapes and beside half a surrogate pair", () => {
  const escaped = Array.from(key, (one) => `\\u00${one.charCodeAt(0).toString(16)}`).join("");
  const { text } = masked(openMask(), sent(`{"a":"${escaped}","b":"\\ud800 ${key} \\udc00"}`));
  expect(text).not.toContain(key);
  expect(text).not.toContain(escaped);
});
