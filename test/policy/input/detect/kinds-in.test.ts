import { describe, expect, test } from "vitest";
import type { Json } from "../../../../src/contract/json.ts";
import { detectorKinds } from "../../../../src/policy/input/detect/detector.ts";
import { kindsIn } from "../../../../src/policy/input/detect/kinds-in.ts";

function kinds(value: Json): readonly string[] {
  return [...kindsIn(value, detectorKinds, 1_000_000).kinds].toSorted();
}

describe("what a value holds", () => {
  const base64 = Buffer.from("customer ann@example.com, card 4111111111111111").toString("base64");
  test.each<[string, Json, readonly string[]]>([
    ["a member", { to: ["x", { mail: "ann@example.com" }] }, ["email"]],
    ["a name of a member", { "ann@example.com": true }, ["email"]],
    ["a number", { card: 4111111111111111 }, ["payment_card"]],
    ["a value that its name explains", { ssn: "536221234" }, ["national_id"]],
    ["JSON in a text", { body: '{"m":"ann\\u0040example.com"}' }, ["email"]],
    ["percent signs", { url: "https://x.example/?to=ann%40example.com" }, ["email"]],
    ["base64", { blob: `see ${base64}` }, ["email", "payment_card"]],
    [
      "base64 in JSON in a text",
      { body: JSON.stringify({ b: base64 }) },
      ["email", "payment_card"],
    ],
    ["nothing", { id: "C-17", at: "2026-11-22T10:00:00Z", ok: true, none: null }, []],
  ])("%s", (_, value, expected) => {
    expect(kinds(value)).toEqual(expected);
  });
});

describe("how far it looks", () => {
  test("a value that is too long is not called clean", () => {
    const value = { text: "x".repeat(100), mail: "ann@example.com" };
    expect(kindsIn(value, detectorKinds, 50)).toEqual({ kinds: new Set(), isComplete: false });
    expect(kindsIn(value, detectorKinds, 5_000).isComplete).toBe(true);
  });

  test("JSON in a text may be nested deeper than any stack", () => {
    const depth = 200_000;
    const text = `${"[".repeat(depth)}"ann@example.com"${"]".repeat(depth)}`;
    expect(kindsIn({ text }, ["email"], 10_000_000)).toMatchObject({ isComplete: true });
  });
});
