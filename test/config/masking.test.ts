import { describe, expect, test } from "vitest";
import { load, minimal, problemsOf } from "./support.ts";

const masking = (settings: object, more: object = {}) => ({
  ...minimal,
  ...more,
  decisions: { masking: settings },
});

test("keys, tokens and cards are masked where nothing is said, and schemas are asked", () => {
  expect(load(minimal).config.decisions.masking).toEqual({
    paths: [],
    detectors: ["credential", "private_key", "payment_card"],
    usesSchema: true,
    key: undefined,
    recipients: [],
  });
});

describe("detectors", () => {
  test("of keys and tokens cannot be left out in strict, and the posture says so in trial", () => {
    const less = masking({ detectors: ["email", "private_key"] });
    expect(problemsOf(less).join()).toContain('profile "strict" refuses "no credential"');
    const { config } = load({ ...less, profile: "trial" });
    expect(config.posture).toBe("trial:decisions.masking.detectors=no credential");
    expect(config.decisions.masking.detectors).toEqual(["email", "private_key"]);
  });

  test("of an unknown kind are refused", () => {
    expect(
      problemsOf(masking({ detectors: ["credential", "private_key", "shoe_size"] })),
    ).toHaveLength(1);
  });
});
