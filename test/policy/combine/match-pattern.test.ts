import { describe, expect, test } from "vitest";
import { matchesToolPattern } from "../../../src/policy/combine/match-pattern.ts";

const inside = (pattern: string, name: string) => matchesToolPattern(pattern, "fs", name);

describe("a pattern of what is no tool", () => {
  test.each([
    "*",
    "fs/*",
    "resource_read:*",
    "resource_read:file:*",
    "fs/resource_read:file:///pub/*",
  ])("%s holds a resource that it begins", (pattern) => {
    expect(inside(pattern, "resource_read:file:///pub/a/b.txt")).toBe(true);
  });

  test.each(["re*", "resource*", "resource_read*", "fs/re*", "fs/resource_read*", "other/*"])(
    "%s is one of tools, or of another server, and holds no resource",
    (pattern) => {
      expect(inside(pattern, "resource_read:file:///pub/a")).toBe(false);
    },
  );

  test.each(["re*", "fs/re*"])("%s holds the tools that it begins", (pattern) => {
    expect(inside(pattern, "read")).toBe(true);
    expect(inside(pattern, "re/../x")).toBe(true);
  });

  test.each([
    "../secret",
    "a/../../secret",
    "%2e%2e/secret",
    "%2E./secret",
    "..%2fsecret",
    "a%2F..%2f..%2Fsecret",
    "..\\secret",
    "a\\..\\..\\secret",
    "..%5Csecret",
    "a/..",
    "..;/secret",
    "..?x",
  ])("B10 does not hold a URI that climbs out of it: %s", (rest) => {
    expect(inside("fs/resource_read:file:///pub/*", `resource_read:file:///pub/${rest}`)).toBe(
      false,
    );
    // Where the pattern names no folder there is none to climb out of.
    expect(inside("resource_read:file:*", `resource_read:file:///pub/${rest}`)).toBe(true);
  });

  test.each(["..a", "a..", "a../b", "...", "a/.../b", ".a"])(
    "holds a name with dots in it: %s",
    (rest) => {
      expect(inside("fs/resource_read:file:///pub/*", `resource_read:file:///pub/${rest}`)).toBe(
        true,
      );
    },
  );
});
