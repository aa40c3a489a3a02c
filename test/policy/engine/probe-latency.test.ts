import { describe, expect, test } from "vitest";
import { compileBundle, layerOf, testEngine } from "./policies.ts";

/** Work that does not depend on the input, several times what the first test has time for. */
const slow = `allow contains "any" if count([1 | some a in numbers.range(1, 600); some b in numbers.range(1, 600); a * b > 0]) > 0`;

describe("a policy that is slow with a plain call", () => {
  test("is not made active, and the one before stays", async () => {
    const quick = await compileBundle({
      name: "slow",
      kind: "server",
      rego: 'allow contains "any"',
    });
    const late = await compileBundle({ name: "slow", kind: "server", rego: slow });
    const engine = testEngine({ deadlineMs: 100, memoryMaxMb: 1024 });
    expect(await engine.activate([layerOf(quick)])).toMatchObject([{ ok: true }]);
    const [result] = await engine.activate([layerOf(late, quick)]);
    expect(result).toMatchObject({ ok: false, error: { code: "policy_too_slow" }, fallback: true });
    await engine.close();
  });

  test("is, where it has the time", async () => {
    const late = await compileBundle({ name: "slow", kind: "server", rego: slow });
    const engine = testEngine({ deadlineMs: 60_000, memoryMaxMb: 1024 });
    expect(await engine.activate([layerOf(late)])).toMatchObject([{ ok: true }]);
    await engine.close();
  });
});
