import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { AdmissionRecord } from "../../../src/contract/record.ts";
import { isRecord } from "../../../src/contract/json.ts";
import { MaskTokens } from "../../../src/decision/masking/mask-token.ts";
import type { RecordMaskOptions } from "../../../src/decision/masking/record-mask.ts";
import { at, called, masked, openMask, unmaskRecord } from "./open-mask.ts";

const { publicKey, privateKey } = generateKeyPairSync("x25519");
const tokens = new MaskTokens(randomBytes(32));
const key = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
const hexKey = Buffer.from(key).toString("hex");
const ssn = "078-05-1120";
const root = "/input/action/args";
const paths = [`${root}/ssn`];

interface Kept {
  readonly text: string;
  readonly lists: readonly string[];
  readonly args: object;
  readonly unmasked: unknown;
}

/** Masks a call and opens it again; every place that is listed is in the record, or was removed. */
function kept(
  args: object,
  options: Partial<RecordMaskOptions> = {},
  changes: Partial<AdmissionRecord> = {},
): Kept {
  const mask = openMask({ tokens, recipients: [publicKey], paths, ...options });
  const { event, text } = masked(mask, called(args, changes));
  const listed = listOf(event["masked"]);
  const erased = listOf(event["erased"]);
  const isThere = (pointer: string): boolean => at(event, ...namesOf(pointer)) !== undefined;
  expect(listed.filter((pointer) => isThere(pointer) === erased.includes(pointer))).toEqual([]);
  expect(erased.filter(isThere)).toEqual([]);
  const shown = at(event, "input", "action", "args");
  if (!isRecord(shown)) throw new Error("expected arguments");
  const unmasked = at(unmaskRecord(event, privateKey), "input", "action", "args");
  return { text, lists: [...listed, ...erased], args: shown, unmasked };
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function namesOf(pointer: string): readonly string[] {
  const names = pointer.split("/").slice(1);
  return names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function pointerOf(...names: readonly string[]): string {
  return names.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

describe("a hidden value that is a member's name too is in no list", () => {
  const cases: readonly (readonly [string, string, (name: string) => object])[] = [
    ["above a key", ssn, (name) => ({ o: { [name]: { card: key, n: 3 } }, ssn: name })],
    ["of a key", ssn, (name) => ({ [name]: key, ssn: name })],
    ["above a list", ssn, (name) => ({ [name]: [1, { deep: [key] }], ssn: name })],
    ["above itself", ssn, (name) => ({ [name]: { [name]: { [name]: key } }, ssn: name })],
    ["with ~ and /", "pin~1/a~0/b", (name) => ({ o: { [name]: { "c~/d": key } }, ssn: name })],
    ["beside more", ssn, (name) => ({ [`is ${name}, or`]: { x: key, y: { z: key } }, ssn: name })],
    ["below a key", ssn, (name) => ({ [key]: { [name]: { [key]: key } }, ssn: name })],
    ["above what repeats it", ssn, (name) => ({ [name]: { a: `${key} ${name}` }, ssn: name })],
  ];
  test.each(cases)("%s", (_, name, argsOf) => {
    const args = argsOf(name);
    const { text, lists, unmasked } = kept(args);
    expect(lists.filter((pointer) => pointer.includes(pointerOf(name).slice(1)))).toEqual([]);
    expect(text).not.toContain(JSON.stringify(name).slice(1, -1));
    expect(text).not.toContain(key);
    expect(unmasked).toEqual(args);
  });

  test("places are listed as they are in the record", () => {
    const { lists } = kept({ o: { "a/b~c": { "d/e": key } }, ssn: "a/b~c" });
    const shown = tokens.token("a/b~c");
    expect(lists).toEqual([`${root}/o/${shown}`, `${root}/o/${shown}/d~1e`, `${root}/ssn`]);
  });

  test("where the schema of the tool says that it is secret", () => {
    const hints = { argumentsSchema: { properties: { password: { format: "password" } } } };
    const args = { byName: { "tiger-word": key }, password: "tiger-word" };
    const { text, unmasked } = kept(args, {}, { hints });
    expect(text).not.toContain("tiger-word");
    expect(unmasked).toEqual(args);
  });

  test("where the member itself is removed, and another form of its name is too", () => {
    const masks = [{ op: "remove", path: ["input", "action", "args", "o", "*"] }] as const;
    const hex = Buffer.from(ssn).toString("hex");
    const args = { o: { [ssn]: 1, [hex]: 2, plain: 3 }, ssn };
    const { text, lists, unmasked } = kept(args, {}, { hints: { masks } });
    expect(text).not.toContain(ssn);
    expect(text).not.toContain(hex);
    expect(lists).toContain(`${root}/o/plain`);
    expect(unmasked).toEqual(args);
  });

  test("an index is no name, whatever else is hidden", () => {
    const list = Array.from({ length: 1235 }, (_, index) => (index === 1234 ? key : index % 9));
    const args = { list, ssn: "1234" };
    const { lists, unmasked } = kept(args);
    expect(lists).toContain(`${root}/list/1234`);
    expect(unmasked).toEqual(args);
  });

  test("where a secret of the configuration stands below a name that is hidden later", () => {
    const secret = "configured-secret-1";
    const args = { [key]: { a: secret }, o: { [ssn]: secret }, all: { [key]: secret }, ssn };
    const { text } = kept(args, { secrets: [secret], paths: [...paths, `${root}/all`] });
    for (const hidden of [secret, key, ssn]) expect(text).not.toContain(hidden);
  });
});

describe("no two members are called the same", () => {
  const base64 = Buffer.from(ssn).toString("base64");
  const hex = Buffer.from(ssn).toString("hex");
  const cases: readonly (readonly [string, object])[] = [
    ["a key and its hex", { [key]: "EVIL", [hexKey]: "benign" }],
    ["its hex before a key", { [hexKey]: "EVIL", [key]: "benign" }],
    ["a value in three forms", { [ssn]: "EVIL", [hex]: "benign", [base64]: "x", ssn }],
    ["three forms the other way", { ssn, [base64]: "x", [hex]: "benign", [ssn]: "EVIL" }],
    ["forms beside text", { [`a ${ssn}`]: 1, [`a ${hex}`]: 2, [`a ${base64}`]: 3, ssn }],
    ["one below the other", { [key]: { [hexKey]: "EVIL", [key]: "benign" }, [hexKey]: [key] }],
    ["a token sent with its key", { [key]: "EVIL", [tokens.token(key)]: "benign" }],
    ["a token sent before its key", { [tokens.token(key)]: "EVIL", [key]: "benign" }],
    ["a token sent elsewhere", { a: { [key]: 1 }, b: { [tokens.token(key)]: 2 } }],
    [
      "a token and the token of another form",
      { [key]: 1, [hexKey]: 2, [tokens.token(key)]: 3, [tokens.token(hexKey)]: 4 },
    ],
    ["a token in a name", { [`a ${ssn}`]: 1, [`a ${tokens.token(ssn)}`]: 2, ssn }],
    ["a token and ~2", { [key]: 1, [hexKey]: 2, [`${tokens.token(key)}~2`]: 3 }],
    ["the token of a token", { [tokens.token(key)]: 1, [tokens.token(tokens.token(key))]: 2 }],
  ];
  test.each(cases)("%s", (_, args) => {
    const { args: shown, text, unmasked } = kept(args);
    const sent = JSON.stringify(args);
    expect(membersIn(text)).toBe(membersIn(JSON.stringify(JSON.parse(text))));
    expect(Object.keys(shown)).toHaveLength(Object.keys(args).length);
    expect(JSON.stringify(unmasked)).toBe(sent);
  });

  test("where the token of a name is taken too, it is counted on", () => {
    const alike = new MaskTokens(randomBytes(32));
    alike.token = () => tokens.token("the same");
    const { args: shown } = kept(
      { [key]: 1, [hexKey]: 2, a: 3, "masked:hmac:x": 4 },
      { tokens: alike },
    );
    const token = tokens.token("the same");
    expect(shown).toEqual({ [token]: 1, [`${token}~3`]: 2, a: 3, [`${token}~2`]: 4 });
  });

  test("where a secret of the configuration is hidden before all else", () => {
    const secret = "configured-secret-1";
    const hexSecret = Buffer.from(secret).toString("hex");
    const literal = tokens.token(secret);
    const args = { [secret]: 1, [hexSecret]: 2, [literal]: 3, [key]: 4, plain: 5 };
    const { args: shown, text, unmasked } = kept(args, { secrets: [secret] });
    expect(Object.values(shown)).toEqual([1, 2, 3, 4, 5]);
    expect(text).not.toContain(hexSecret);
    expect(unmasked).toMatchObject({ [literal]: 3, [key]: 4, plain: 5 });
  });

  test("a token as a name is hidden though a record with the same one was seen before", () => {
    const secret = "configured-secret-1";
    const mask = openMask({ tokens, secrets: [secret] });
    const first = masked(mask, called({ o: { [secret]: "plain text" } })).event;
    const [name = ""] = Object.keys(Object(at(first, "input", "action", "args", "o")));
    const { event } = masked(mask, called({ o: { [name]: "plain text" } }));
    expect(name).toBe(tokens.token(secret));
    const shown = at(event, "input", "action", "args", "o");
    expect(shown).toEqual({ [tokens.token(name)]: "plain text" });
  });
});

function membersIn(json: string): number {
  return json.split('":').length;
}
