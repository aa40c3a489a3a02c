import { describe, expect, test } from "vitest";
import type { Principal } from "../../../src/contract/principal.ts";
import { drawPrincipal } from "../../../src/gateway/canaries/draw-principal.ts";
import { principal } from "../open-gateway.ts";

const key = Buffer.alloc(32, 1);
const canary = { place: "compliance~canary", digest: "sha256:aa" };
const everybody = Array.from({ length: 2000 }, (_, at) => principal(`user-${at}`));

function drawn(percent: number, of = canary, by = key): ReadonlySet<string> {
  const isIn = (one: Principal): boolean => drawPrincipal(by, of, one).at < percent;
  return new Set(everybody.filter(isIn).map((one) => one.user.id));
}

describe("the draw of a canary", () => {
  test("takes the share of principals that was asked for", () => {
    expect(drawn(100).size).toBe(2000);
    // Six standard deviations on both sides: the draw is fixed, so it is the same in each run.
    expect(Math.abs(drawn(10).size - 200)).toBeLessThan(80);
    expect(Math.abs(drawn(1).size - 20)).toBeLessThan(20);
  });

  test("is the same again, and with a greater share nobody leaves", () => {
    expect(drawn(10)).toEqual(drawn(10));
    const more = drawn(30);
    expect([...drawn(10)].filter((id) => !more.has(id))).toEqual([]);
  });

  test.each([
    ["the next bundle", { ...canary, digest: "sha256:bb" }, key],
    ["another canary", { ...canary, place: "identity~canary" }, key],
    ["another key", canary, Buffer.alloc(32, 2)],
  ])("takes others for %s", (_, of, by) => {
    const ours = drawn(10);
    const both = [...drawn(10, of, by)].filter((id) => ours.has(id));
    expect(both.length).toBeGreaterThan(0);
    expect(both.length).toBeLessThan(80);
  });

  test("tells nothing of the principal and the same of the same one", () => {
    const [one = principal("a"), other = principal("b")] = everybody;
    const { token } = drawPrincipal(key, canary, one);
    expect(token).toBe(drawPrincipal(key, canary, one).token);
    expect(token).not.toBe(drawPrincipal(key, canary, other).token);
    expect(token).not.toContain(one.key);
  });

  test("is not to be repeated by an agent that nobody verified under other names", () => {
    const named = (id: string, authenticated: boolean): string => {
      const { agent } = principal("alice");
      const one = principal("alice", { agent: { ...agent, id, authenticated } });
      return drawPrincipal(key, canary, one).token;
    };
    expect(named("a", false)).toBe(named("b", false));
    expect(named("a", true)).not.toBe(named("b", true));
  });
});
