import { expect, test } from "vitest";
import { parseTime } from "../../src/decision/parse-time.ts";

const now = Date.UTC(2026, 10, 22, 12);

test.each([
  ["15m", now - 15 * 60_000],
  ["2h", now - 2 * 3_600_000],
  ["7d", now - 7 * 86_400_000],
  ["30s", now - 30_000],
  ["1w", now - 7 * 86_400_000],
  ["999999999w", 0],
  ["2026-11-22T13:45:00Z", Date.UTC(2026, 10, 22, 13, 45)],
  ["2026-11-22T13:45:00.5+01:00", Date.UTC(2026, 10, 22, 12, 45, 0, 500)],
  ["2026-11-22", Date.UTC(2026, 10, 22)],
])("%s is a time", (text, expected) => {
  expect(parseTime(text, now)).toBe(expected);
});

test.each(["", "yesterday", "15", "-1h", "1.5h", "2026-13-01", "11/22/2026", "1h 2m"])(
  "%j is no time",
  (text) => {
    expect(() => parseTime(text, now)).toThrow(/expected a time such as 2026-11-22T13:45:00Z/);
  },
);
