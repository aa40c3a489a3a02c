import { describe, expect, test } from "vitest";
import type { LayerVerdict, Obligation } from "../../src/contract/layer.ts";
import type { ComparedDecision } from "../../src/replay/compare-answers.ts";
import { differenceOf } from "../../src/replay/compare-answers.ts";

const redaction: Obligation = { id: "r", type: "truncate", properties: { max_bytes: 10 } };

/** A decision of one layer for these reasons. */
function decided(
  effect: "allow" | "hold" | "deny",
  reason: string,
  obligations: readonly Obligation[],
): ComparedDecision {
  const layer = { name: "crm", kind: "server", revision: "1", digest: "sha256:aa" } as const;
  const sets = { allow: [], deny: [], requireApproval: [], hide: [], warn: [], waive: [] };
  const output = { ...sets, obligations, dataClasses: [], labels: [], capabilities: undefined };
  const verdict: LayerVerdict = { ok: true, layer, output };
  const said = { allow: effect === "allow", effect, enforced: true };
  return { answer: { ...said, reasons: [reason], matchedRules: [reason] }, verdicts: [verdict] };
}

describe("the difference between two answers", () => {
  test.each(["allow", "hold"] as const)(
    "to %s is what is done to the result, also where there is another reason",
    (effect) => {
      const was = decided(effect, "one", [redaction]);
      const bucket = "obligations_only";
      expect(differenceOf(was, decided(effect, "two", []))).toMatchObject({ bucket });
      expect(differenceOf(was, decided(effect, "one", []))).toMatchObject({ bucket });
    },
  );

  test("is the reason where the same is done to the result, or nothing comes back", () => {
    const bucket = "reason_only";
    const held = decided("hold", "one", [redaction]);
    expect(differenceOf(held, decided("hold", "two", [redaction]))).toMatchObject({ bucket });
    const denied = decided("deny", "one", [redaction]);
    expect(differenceOf(denied, decided("deny", "two", []))).toMatchObject({ bucket });
    expect(differenceOf(denied, decided("deny", "one", []))).toBeUndefined();
    expect(differenceOf(held, held)).toBeUndefined();
  });
});
