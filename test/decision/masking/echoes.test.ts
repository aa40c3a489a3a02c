import { expect, test } from "vitest";
import { Echoes } from "../../../src/decision/masking/echoes.ts";

const secret = "p@ss w0rd/of the störe";
const base64 = (text: string) => Buffer.from(text).toString("base64");
const hide = () => "#";

test.each([
  ["as it is", secret],
  ["in JSON in JSON", JSON.stringify(JSON.stringify({ secret }))],
  ["in a URL", encodeURIComponent(secret)],
  ["in a URL with small digits", encodeURIComponent(secret).toLowerCase()],
  ["in a form", encodeURIComponent(secret).replaceAll("%20", "+")],
  ["in base64", base64(secret)],
  ["in base64 behind a name", base64(`robot:${secret}`)],
  ["in base64 behind another name", base64(`robot1:${secret}`)],
  ["in base64 with more behind it", base64(`robot12:${secret}:and more`)],
  ["in base64 of URLs", Buffer.from(`??:${secret}`).toString("base64url")],
  ["in hexadecimal digits", Buffer.from(secret).toString("hex")],
  ["in large hexadecimal digits", Buffer.from(secret).toString("hex").toUpperCase()],
])("a text is found %s", (_, written) => {
  const echoes = new Echoes([secret]);
  expect(echoes.mayBeIn(`x ${written} y`)).toBe(true);
  const left = echoes.replace(`x ${written} y`, hide) ?? "";
  expect(left).toMatch(/^x .{0,20}#.{0,20} y$/u);
  expect(left.length).toBeLessThan(40);
});

test("what overlaps goes as one, and nothing of either is left", () => {
  const echoes = new Echoes(["secret-one", "one-secret-two"]);
  expect(echoes.replace("a secret-one-secret-two b", hide)).toBe("a # b");
  expect(echoes.replace("a secret-one b one-secret-two", hide)).toBe("a # b #");
});

test("what is a part of another goes with it, and equal texts go alike", () => {
  const echoes = new Echoes(["password", "password-1"]);
  const shown = echoes.replace("password-1 and password", (text) => `<${text}>`);
  expect(shown).toBe("<password-1> and <password>");
});

test("what was hidden before stays as it is shown", () => {
  const hidden = `masked:hmac:${"0".repeat(32)}`;
  const echoes = new Echoes(["hmac", "masked", "0000"]);
  expect(echoes.replace(`use ${hidden} now`, hide)).toBeUndefined();
  expect(echoes.replace(`hmac of ${hidden}`, hide)).toBe(`# of ${hidden}`);
});

test("many are found as one is, and none where there is none", () => {
  const many = Array.from({ length: 400 }, (_, index) => `secret number ${index}.`);
  const echoes = new Echoes(many);
  expect(echoes.replace("a secret number 17. b", hide)).toBe("a # b");
  expect(echoes.mayBeIn("a secret number b")).toBe(false);
  expect(echoes.replace("a secret number b", hide)).toBeUndefined();
});

test("of more than can be looked for everything goes that is no code", () => {
  const echoes = new Echoes(Array.from({ length: 17 }, (_, n) => `${n}${"x".repeat(8000)}`));
  expect(echoes.replace("any words", hide)).toBe("#");
  expect(echoes.replace("rule_code", hide)).toBeUndefined();
  expect(echoes.isNumber("4711")).toBe(true);
});
