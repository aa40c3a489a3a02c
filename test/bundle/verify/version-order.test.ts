import { describe, expect, test } from "vitest";
import { highestOf, isDowngrade, versionMark } from "../../../src/bundle/verify/version-order.ts";
import type { VersionMark } from "../../../src/bundle/verify/version-order.ts";

function mark(revision: string, sequence?: number, createdSeconds?: number): VersionMark {
  return { revision, sequence, createdSeconds };
}

describe("a bundle is older than one that was seen", () => {
  test.each<[string, string]>([
    ["1.4.7", "1.4.6"],
    ["1.10.0", "1.9.9"],
    ["2.0.0", "1.99.99"],
    ["1.0.0", "1.0.0-rc.1"],
    ["1.0.0-rc.1", "1.0.0-beta.11"],
    ["1.0.0-beta.11", "1.0.0-beta.2"],
    ["1.0.0-beta", "1.0.0-5"],
    ["1.0.0-alpha.1", "1.0.0-alpha"],
    ["1.0.0-10a", "1.0.0-9"],
    ["v1.2.0", "1.1.9"],
    ["100000000000000000001.0.0", "100000000000000000000.0.0"],
  ])("by its semantic version: %s, then %s", (seen, candidate) => {
    expect(isDowngrade(mark(seen), mark(candidate))).toBe(true);
    expect(isDowngrade(mark(candidate), mark(seen))).toBe(false);
  });

  test("by its sequence, whatever its revision says", () => {
    expect(isDowngrade(mark("1.0.0", 7), mark("2.0.0", 6))).toBe(true);
    expect(isDowngrade(mark("2.0.0", 6), mark("1.0.0", 7))).toBe(false);
  });

  test("by its time, where nothing else can be compared", () => {
    expect(isDowngrade(mark("4f2a", undefined, 200), mark("9c1b", undefined, 100))).toBe(true);
    expect(isDowngrade(mark("4f2a", undefined, 100), mark("9c1b", undefined, 200))).toBe(false);
  });

  test("when it has lost what others before it had: from before it was introduced", () => {
    expect(isDowngrade(mark("1.0.0", 7), mark("9.0.0"))).toBe(true);
    expect(isDowngrade(mark("1.0.0"), mark("4f2a"))).toBe(true);
    expect(isDowngrade(mark("1.0.0"), mark("", undefined, 999))).toBe(true);
    expect(isDowngrade(mark("4f2a", undefined, 100), mark("9c1b"))).toBe(true);
  });
});

describe("a bundle is not older than one that was seen", () => {
  test.each<[VersionMark, VersionMark]>([
    [mark("1.0.0"), mark("1.0.0")],
    [mark("1.0.0+a"), mark("1.0.0+b")],
    [mark("4f2a"), mark("9c1b")],
    [mark("4f2a", undefined, 100), mark("1.0.0")],
    [mark("4f2a", undefined, 100), mark("9c1b", 1)],
    [mark("4f2a"), mark("1.0.0")],
    [mark("4f2a"), mark("9c1b", 1)],
    [mark("x", 3), mark("y", 3)],
  ])("%j, then %j", (seen, candidate) => {
    expect(isDowngrade(seen, candidate)).toBe(false);
  });
});

describe("the mark of a bundle", () => {
  test("is what its manifest and its annotations say", () => {
    const created = { "org.opencontainers.image.created": "2026-11-01T00:00:00Z" };
    expect(versionMark({ revision: "1.2.3", metadata: { sequence: 4 } }, created)).toEqual({
      revision: "1.2.3",
      sequence: 4,
      createdSeconds: 1_793_491_200,
    });
  });

  test("has no time of a build that knows none, and no sequence that is no whole number", () => {
    const epoch = { "org.opencontainers.image.created": "1970-01-01T00:00:00Z" };
    for (const sequence of ["4", 1.5, null, 2 ** 60]) {
      expect(versionMark({ revision: "", metadata: { sequence } }, epoch)).toEqual(mark(""));
    }
  });

  test("that is kept is the highest", () => {
    expect(highestOf(undefined, mark("1.0.0"))).toEqual(mark("1.0.0"));
    expect(highestOf(mark("1.1.0"), mark("1.0.0"))).toEqual(mark("1.1.0"));
    expect(highestOf(mark("1.1.0"), mark("1.2.0"))).toEqual(mark("1.2.0"));
  });
});
