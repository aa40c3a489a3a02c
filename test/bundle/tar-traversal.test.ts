import { expect, test } from "vitest";
import { openHostile } from "../support/hostile-tar.ts";

test.each([
  ["climbs out", "../policy.wasm"],
  ["climbs out after a leading slash", "/../policy.wasm"],
  ["climbs out in the middle", "a/../../policy.wasm"],
  ["has a dot for a folder", "a/./b"],
  ["has two leading slashes", "//policy.wasm"],
  ["has an empty folder", "a//b"],
  ["ends with a slash", "a/"],
  ["is empty", ""],
  ["is only a slash", "/"],
  ["has a backslash", "a\\..\\b"],
  ["has a line break", "a\nb"],
  ["has an escape character", "a\u001b[2Jb"],
  ["is no UTF-8", Buffer.from([0x61, 0xff])],
  ["goes on behind a NUL", Buffer.from("policy.wasm\0.evil")],
])("an archive with a name that %s is refused", (_, name) => {
  expect(openHostile({ name, content: "x" })).toBe("bundle_archive_unsafe");
});

test("a prefix that climbs out is refused like a name", () => {
  expect(openHostile({ name: "policy.wasm", prefix: "..", content: "x" })).toBe(
    "bundle_archive_unsafe",
  );
});

test.each(["policy.wasm", "/policy.wasm", "./policy.wasm", "a/b/policy.wasm", "..a", "a..b"])(
  "the name %s is taken",
  (name) => {
    expect(openHostile({ name, content: "x" })).toBe("opened");
  },
);
