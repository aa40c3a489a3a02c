/** What is looked for only in texts that may hold it: the shortest of each kind is found. */
import { expect, test } from "vitest";
import type { DetectorKind } from "../../../../src/policy/input/detect/detector.ts";
import { detectorKinds, hasDigits } from "../../../../src/policy/input/detect/detector.ts";
import { findSensitive } from "../../../../src/policy/input/detect/find-sensitive.ts";

test.each<[DetectorKind, string, string | undefined]>([
  ["national_id", "AB123456C", undefined],
  ["phone", "tel 5550199", undefined],
  ["payment_card", "4222222222222", undefined],
  ["credential", "a1b2c3d4", "password"],
  ["credential", "xoxb-abcdefghij", undefined],
  ["credential", "ab://c:def@host", undefined],
  ["credential", "pwd=a1b2c3d4", undefined],
  ["private_key", "PuTTY-User-Key-File-2", undefined],
  ["email", "a@b.co", undefined],
])("the shortest %s is found: %s", (kind, text, name) => {
  expect(findSensitive(text, detectorKinds, name).map((found) => found.kind)).toContain(kind);
});

test("a text is found again and again, whatever was looked for before", () => {
  const text = "mail a@b.co, call +1 212 555 0199, key xoxb-abcdefghij";
  const first = findSensitive(text, detectorKinds);
  expect(first).toHaveLength(3);
  expect(findSensitive(text, detectorKinds)).toEqual(first);
});

test("many thousands of matches in one text are found", () => {
  const text = "xoxb-abcdefghij ".repeat(200_000);
  expect(findSensitive(text, ["credential"])).toHaveLength(200_000);
});

test("digits are counted up to as many as are needed", () => {
  expect(hasDigits("a1b2", 2)).toBe(true);
  expect(hasDigits("a1b2", 3)).toBe(false);
  expect(hasDigits("", 1)).toBe(false);
});
