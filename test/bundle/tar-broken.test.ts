import { expect, test } from "vitest";
import { openArchive } from "../../src/bundle/archive.ts";
import { thrownCode } from "../support/bundle-setting.ts";
import { hostileTar, openHostile } from "../support/hostile-tar.ts";

const tar = hostileTar({ name: "policy.rego", content: "package a" });
const open = (bytes: Buffer): string => thrownCode(() => openArchive(bytes)) ?? "opened";

test("the unchanged tar opens", () => {
  expect(open(tar)).toBe("opened");
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["half a header", tar.subarray(0, 256)],
  ["a header without content", tar.subarray(0, 512)],
  ["no end marker", tar.subarray(0, 1024)],
  ["half an end marker", tar.subarray(0, 1536)],
  ["an entry behind the end marker", Buffer.concat([tar, tar])],
  ["bytes behind the end marker", Buffer.concat([tar, Buffer.from("x")])],
  ["endless padding", Buffer.concat([tar, Buffer.alloc(1_000_000)])],
  ["text", Buffer.alloc(2048, "text")],
])("a tar with %s is refused", (_, bytes) => {
  expect(open(bytes)).toBe("bundle_archive_invalid");
});

test.each([
  ["a wrong checksum", { name: "a", checksum: "0000000\0" }],
  ["an unknown magic", { name: "a", magic: "starry\x0000" }],
  ["a size that is no number", { name: "a", size: "zzzzzzzzzzz\0" }],
  ["a size in base 256", { name: "a", size: "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" }],
  ["a size beyond its end", { name: "a", size: "77777777777\0" }],
  ["a negative size", { name: "a", size: "-0000000001\0" }],
])("a tar with %s is refused", (_, entry) => {
  expect(openHostile(entry)).toBe("bundle_archive_invalid");
});

test("a folder with content is refused", () => {
  expect(openHostile({ name: "a", type: "5", content: "hidden" })).toBe("bundle_archive_unsafe");
});
