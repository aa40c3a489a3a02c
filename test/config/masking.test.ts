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
    unmaskKey: undefined,
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

test.each(["/output/x", "input/action", "/input", "/input/a~2b", "/input//a", ""])(
  "the path %j is refused",
  (path) => {
    expect(problemsOf(masking({ paths: [path] }))).toHaveLength(1);
  },
);

test.each(["/input/action/args/password", "/input/action/args/*/a~1b", "/result/remediation"])(
  "the path %j is taken",
  (path) => {
    expect(load(masking({ paths: [path] })).config.decisions.masking.paths).toEqual([path]);
  },
);

describe("the key that seals", () => {
  test.each(["abc", "a".repeat(63), "g".repeat(64), `${"a".repeat(64)} ${"b".repeat(64)}`])(
    "is refused by validate where it is no 32 bytes: %j",
    (key) => {
      const [problem = "", ...more] = problemsOf(masking({ unmask_key: key }));
      expect(problem).toContain("decisions.masking.unmask_key");
      expect(problem).toContain("openssl rand -hex 32");
      expect(problem).not.toContain(key);
      expect(more).toEqual([]);
    },
  );

  test.each(["0f".repeat(32), `${"0f".repeat(32)}\n`, Buffer.alloc(32, 255).toString("base64")])(
    "is taken as hexadecimal digits and as base64: %j",
    (key) => {
      expect(load(masking({ unmask_key: key })).config.decisions.masking.unmaskKey).toBe(key);
    },
  );
});
