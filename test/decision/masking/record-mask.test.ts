import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../../src/contract/canonical-json.ts";
import { MaskTokens } from "../../../src/decision/masking/mask-token.ts";
import { headerOf } from "../../../src/decision/record-header.ts";
import { admission, outcome } from "../sample-records.ts";
import { at, called, masked, openMask, token } from "./open-mask.ts";

const key = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
const card = "4111 1111 1111 1111";

test("a record that hides nothing stays as it was encoded, byte for byte", () => {
  const { text, header, before } = masked(openMask(), called({ a: "plain", n: 1.5 }));
  expect(text).toBe(before.text);
  expect(header).toBe(before.header);
});

test("a key in an argument is replaced where it stands, and the record says where", () => {
  const { event, text } = masked(
    openMask(),
    called({ note: `use ${key} please`, a: [{ b: key }] }),
  );
  const note = at(event, "input", "action", "args", "note");
  expect(note).toMatch(/^use masked:hmac:[0-9a-f]{32} please$/);
  expect(at(event, "input", "action", "args", "a", "0", "b")).toMatch(token);
  expect(event["masked"]).toEqual(["/input/action/args/a/0/b", "/input/action/args/note"]);
  expect(event).not.toHaveProperty("erased");
  expect(text).not.toContain(key);
});

test("equal values are hidden alike in all records of a key, and otherwise under another key", () => {
  const [one, other] = [openMask(), openMask()];
  const shown = (mask: typeof one) =>
    at(masked(mask, called({ a: key })).event, "input", "action", "args", "a");
  expect(shown(one)).toBe(shown(one));
  expect(shown(one)).not.toBe(shown(other));
});

test("bytes beside what is hidden stay as they came, digits and escapes too", () => {
  const inputJson = `{"action":{"args":{"n":12345678901234567890.10, "k":"${key}","t":"\\u0041"}}}`;
  const { text } = masked(openMask(), admission({ inputJson }));
  expect(text).toContain(`"n":12345678901234567890.10, "k":"masked:hmac:`);
  expect(text).toContain('"t":"\\u0041"');
});

test("a card is found as text and as a number, a key in base64, JSON and percent signs", () => {
  const args = {
    text: `pay with ${card}`,
    number: 4111111111111111,
    base64: Buffer.from(`the token is ${key}`).toString("base64"),
    json: JSON.stringify({ deep: [key] }),
    percent: encodeURIComponent(`password=${key}&x=ü`),
  };
  const { event, text } = masked(openMask(), called(args));
  expect(event["masked"]).toHaveLength(5);
  expect(text).not.toContain("11111111");
  expect(text).not.toContain(args.base64.slice(0, 24));
});

test("a name that is a secret is hidden, and its value stays", () => {
  const { event, text } = masked(openMask(), called({ [key]: "plain" }));
  const [name] = Object.keys(Object(at(event, "input", "action", "args")));
  expect(name).toMatch(token);
  expect(text).not.toContain(key);
});

describe("paths of the operator", () => {
  test("hide what they name, whole, through any name and any item", () => {
    const paths = [
      "/input/action/args/*/pin",
      "/input/action/args/list/*/a~1b",
      "/input/action/args/all",
    ];
    const args = { x: { pin: 1234, ok: 1 }, list: [{ "a/b": "v1w2" }], all: { secretName: true } };
    const { event, text } = masked(openMask({ paths }), called(args));
    const shown = at(event, "input", "action", "args");
    expect(shown).toEqual({
      x: { pin: expect.stringMatching(token), ok: 1 },
      list: [{ "a/b": expect.stringMatching(token) }],
      all: expect.stringMatching(token),
    });
    expect(text).not.toContain("secretName");
    expect(event["masked"]).toEqual([
      "/input/action/args/all",
      "/input/action/args/list/0/a~1b",
      "/input/action/args/x/pin",
    ]);
  });

  test("reach nothing that the gateway says itself", () => {
    const paths = ["/result/effect", "/result/allow", "/result/reasons"];
    const { event } = masked(openMask({ paths }), called({}));
    expect(event["result"]).toMatchObject({ effect: "deny", allow: false });
  });
});

describe("masks of the server's bundle", () => {
  const masks = [
    { op: "remove", path: ["input", "action", "args", "ssn"] },
    { op: "upsert", path: ["input", "action", "args", "who"], value: "somebody" },
    { op: "upsert", path: ["input", "action", "args", "deep"] },
    { op: "remove", path: ["input", "action", "args", "list", "*"] },
  ] as const;

  test("remove, replace and hash leaves, and never items of an array", () => {
    const args = {
      ssn: "123-x",
      a: 1,
      who: "alice",
      deep: { one: "q1q2q3", two: 2 },
      list: ["zzz9"],
    };
    const { event } = masked(openMask(), called(args, { hints: { masks } }));
    expect(at(event, "input", "action", "args")).toEqual({
      a: 1,
      who: "somebody",
      deep: { one: expect.stringMatching(token), two: expect.stringMatching(token) },
      list: [expect.stringMatching(token)],
    });
    expect(event["erased"]).toEqual(["/input/action/args/ssn"]);
    expect(event["masked"]).toContain("/input/action/args/who");
  });
});

describe("what is hidden in one place is hidden in all", () => {
  const argumentsSchema = { properties: { password: { type: "string", format: "password" } } };
  const password = "hunter2-hunter2";

  test("a policy's words, other arguments and builtins do not repeat it", () => {
    const base = called({ password, also: `not ${password}`, url: encodeURIComponent("ü") });
    const layer = { name: "crm", kind: "server", revision: "1", digest: "sha256:aa" } as const;
    const { text, event, header } = masked(openMask(), {
      ...base,
      hints: { argumentsSchema },
      exposedName: `crm__${password}`,
      ndBuiltinCacheJson: JSON.stringify({ "rand.intn": { [JSON.stringify([password, 6])]: 4 } }),
      answer: { ...base.answer, reasons: [`weak_${password}`] },
      layers: [{ ok: false, layer, code: "policy_error", message: `no: "${password}"` }],
    });
    expect(text).not.toContain(password);
    expect(header).not.toContain(password);
    expect(event["masked"]).toContain("/layers/0/error/message");
    expect(header).toBe(canonicalJson(headerOf(event)));
  });

  test("a short value is found as a word of its own, and does not eat other words", () => {
    const { event } = masked(openMask(), {
      ...called({ password: "ab", note: "ab is in cab" }, { hints: { argumentsSchema } }),
    });
    expect(at(event, "input", "action", "args", "note")).toMatch(/^masked:hmac:\w+ is in cab$/);
  });

  test("nobody has an effect, an id or a name of the record hidden by sending it", () => {
    const { event } = masked(
      openMask(),
      called({ password: "deny" }, { hints: { argumentsSchema } }),
    );
    expect(event["result"]).toMatchObject({ effect: "deny" });
    const named = masked(
      openMask(),
      called({ password: "reasons" }, { hints: { argumentsSchema } }),
    );
    expect(named.event["result"]).toHaveProperty("reasons");
  });
});

describe("secrets of the configuration", () => {
  const secret = "p@ss/w0rd of the store";

  test.each([
    ["as it is", secret],
    ["in a URL", encodeURIComponent(secret)],
    ["in base64", Buffer.from(secret).toString("base64")],
    ["in JSON in a text", JSON.stringify(JSON.stringify({ secret }))],
  ])("are in no record, %s", (_, written) => {
    const mask = openMask({
      secrets: [secret],
      recipients: [generateKeyPairSync("x25519").publicKey],
    });
    const { text, event } = masked(mask, called({ a: `x ${written} y` }));
    expect(text).not.toContain(written);
    expect(event["masked"]).toEqual(["/input/action/args/a"]);
    expect(event).not.toHaveProperty("sealed");
  });
});

describe("masking that fails", () => {
  test("that throws takes out all that was sent, and what was said about it", () => {
    const find = (): never => {
      throw new Error("broken");
    };
    const mask = openMask({ detectors: { find, kindsIn: find } });
    const { event, text, header } = masked(mask, called({ a: "short-secret" }));
    expect(event["erased"]).toEqual(["/input/action/args"]);
    expect(text).not.toContain("short-secret");
    expect(event).toMatchObject({ result: { effect: "deny" }, server: "crm" });
    expect(header).toBe(canonicalJson(headerOf(event)));
  });

  test("that takes too long does the same", () => {
    let nowMs = 0;
    const mask = openMask({ monotonicMs: () => (nowMs += 100), patienceMs: 50 });
    const { event, text } = masked(mask, called({ a: "short-secret" }));
    expect(event["erased"]).toContain("/input/action/args");
    expect(text).not.toContain("short-secret");
  });

  test("what is longer than detectors read is hidden whole", () => {
    const { event } = masked(openMask(), called({ a: "x ".repeat(70_000), b: "small words" }));
    expect(at(event, "input", "action", "args", "a")).toMatch(token);
  });
});

describe("digests", () => {
  const tokens = new MaskTokens(randomBytes(32));
  const plain = `sha256:${"0".repeat(64)}`;

  test("of arguments are keyed where something in them is hidden, and plain elsewhere", () => {
    const mask = openMask({ tokens });
    const hidden = masked(mask, called({ a: key }, { argsSha256: plain }));
    expect(hidden.event["args_sha256"]).toBe(tokens.digest(plain));
    expect(hidden.header).toContain(tokens.digest(plain));
    expect(masked(mask, called({ a: 1 }, { argsSha256: plain })).event["args_sha256"]).toBe(plain);
  });

  test("of results are keyed, since nobody sees whether they were short", () => {
    const { event } = masked(
      openMask({ tokens }),
      outcome(admission().decisionId, { resultSha256: plain }),
    );
    expect(event["result_sha256"]).toBe(tokens.digest(plain));
    expect(tokens.digest(plain)).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
  });
});

test("people who act are known by their names, with keys and tokens taken out", () => {
  const mask = openMask({ kinds: ["credential", "private_key", "email"] });
  const record = called({ to: "bob@example.com" }, { user: "alice@example.com", agent: key });
  const { event } = masked(mask, record);
  expect(event["user"]).toBe("alice@example.com");
  expect(event["agent"]).toMatch(token);
  expect(at(event, "input", "action", "args", "to")).toMatch(token);
});

test("what webhooks are told of a call is masked alike, and other members stay", () => {
  const sent = { args: `{"a":1.50,"k":"${key}","p":"pw"}`, task: "{}" };
  const hints = { argumentsSchema: { properties: { p: { writeOnly: true } } } };
  const shown = openMask().maskSent(sent, hints);
  expect(shown["args"]).toMatch(/^\{"a":1\.50,"k":"masked:hmac:\w+","p":"masked:hmac:\w+"\}$/);
  expect(shown["task"]).toBe("{}");
});

test("a key behind a server's name is found, as in a tool that nobody has", () => {
  const { text, header } = masked(openMask(), called({}, { exposedName: `crm__${key}` }));
  expect(text).not.toContain(key);
  expect(text).toContain('"exposed_name":"crm__masked:hmac:');
  expect(header).not.toContain(key);
});
