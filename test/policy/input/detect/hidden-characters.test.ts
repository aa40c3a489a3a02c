import { expect, test } from "vitest";
import { findSensitive } from "../../../../src/policy/input/detect/find-sensitive.ts";

const card = "4111111111111111";

test.each([
  ["a joiner after each digit", Array.from(card, (digit) => `${digit}\u200d`).join("")],
  ["one zero-width space", `4111\u200b111111111111`],
  ["a tag", `41111111\u{e0041}11111111`],
  ["an escape that the gateway wrote", String.raw`41111111\u001b11111111`],
  ["a pair of escapes", String.raw`41111111\udb40\udc4111111111`],
])("a card number with %s in it is found, in the place where it is written", (_, hidden) => {
  const text = `card ${hidden} end`;

  const [found] = findSensitive(text, ["payment_card"]);

  expect(found?.kind).toBe("payment_card");
  const { start = 0, end = 0 } = found ?? {};
  expect(text.slice(0, start)).toBe("card ");
  expect(text.slice(end).replaceAll("\u200d", "")).toBe(" end");
});

test("an escape of a digit that is visible is not passed over", () => {
  expect(findSensitive(String.raw`4111\u0041111111111111`, ["payment_card"])).toEqual([]);
});
