import { expect, test } from "vitest";
import { openHostile } from "../support/hostile-tar.ts";

test.each([
  ["a symbolic link", "2"],
  ["a hard link", "1"],
  ["a character device", "3"],
  ["a block device", "4"],
  ["a pipe", "6"],
  ["a sparse file", "S"],
  ["a contiguous file", "7"],
  ["a GNU long link name", "K"],
  ["a GNU multi-volume file", "M"],
  ["an entry of an unknown type", "Z"],
])("an archive with %s is refused, not passed over", (_, type) => {
  const link = { name: "policy.wasm", type, linkName: "/etc/passwd" };
  expect(openHostile({ name: ".manifest", content: "{}" }, link)).toBe("bundle_archive_unsafe");
});

test("the same archive without the entry opens", () => {
  expect(openHostile({ name: ".manifest", content: "{}" })).toBe("opened");
});
