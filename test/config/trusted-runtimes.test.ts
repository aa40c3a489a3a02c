import { expect, test } from "vitest";
import { load, minimal, problemsOf } from "./support.ts";

test("nobody is believed about conversations who is not listed", () => {
  expect(load(minimal).config.trustedRuntimes).toEqual([]);
  const listed = load({ ...minimal, trusted_runtimes: ["runtime-*", "bot"] });
  expect(listed.config.trustedRuntimes).toEqual(["runtime-*", "bot"]);
});

test.each([["bot"], [[""]], [[7]], [{ agents: ["bot"] }], [["x".repeat(257)]]])(
  "trusted_runtimes %j is refused",
  (runtimes) => {
    expect(problemsOf({ ...minimal, trusted_runtimes: runtimes })).toEqual([
      expect.stringContaining("trusted_runtimes"),
    ]);
  },
);
