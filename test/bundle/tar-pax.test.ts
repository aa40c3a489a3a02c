import { expect, test } from "vitest";
import { openArchive } from "../../src/bundle/archive.ts";
import { hostileTar, openHostile, paxRecord } from "../support/hostile-tar.ts";

const file = { name: "harmless.rego", content: "package a" };
const pax = (content: string, type = "x") => ({ name: "PaxHeader", type, content });

test("a PAX path names the file that follows", () => {
  const tar = hostileTar(pax(paxRecord("path", "real.rego") + paxRecord("mtime", "1.5")), file);
  expect([...openArchive(tar).keys()]).toEqual(["real.rego"]);
});

test("a PAX path holds for one file only", () => {
  const tar = hostileTar(pax(paxRecord("path", "real.rego")), file, { name: "b", content: "b" });
  expect([...openArchive(tar).keys()]).toEqual(["real.rego", "b"]);
});

test.each([
  ["climbs out", paxRecord("path", "../policy.wasm")],
  ["has a NUL", paxRecord("path", "policy.wasm\0x")],
  ["is given twice", paxRecord("path", "a") + paxRecord("path", "b")],
])("a PAX path that %s is refused", (_, records) => {
  expect(openHostile(pax(records), file)).toBe("bundle_archive_unsafe");
});

test.each([
  ["the size", paxRecord("size", "1")],
  ["a link", paxRecord("linkpath", "/etc/passwd")],
  ["a sparse map", paxRecord("GNU.sparse.major", "1")],
  ["the character set", paxRecord("hdrcharset", "BINARY")],
  ["something unknown", paxRecord("surprise", "1")],
])("a PAX header that changes %s is refused", (_, records) => {
  expect(openHostile(pax(records), file)).toBe("bundle_archive_unsafe");
});

test.each([
  ["a length that is too short", "5 path=policy.wasm\n"],
  ["a length that is too long", "99 path=policy.wasm\n"],
  ["no length", "path=policy.wasm\n"],
  ["no line end", "17 path=policy.was"],
  ["a length of zero", "0 path=a\n"],
])("a PAX record with %s is refused, where others stop reading quietly", (_, records) => {
  expect(openHostile(pax(records), file)).toBe("bundle_archive_unsafe");
});

test("a global PAX header may comment, as git archive does, but name nothing", () => {
  expect(openHostile(pax(paxRecord("comment", "commit"), "g"), file)).toBe("opened");
  expect(openHostile(pax(paxRecord("path", "policy.wasm"), "g"), file)).toBe(
    "bundle_archive_unsafe",
  );
});

test("two long names for one file are refused", () => {
  const gnu = { name: "././@LongLink", type: "L", content: "a.rego\0" };
  expect(openHostile(gnu, file)).toBe("opened");
  expect(openHostile(gnu, pax(paxRecord("path", "b.rego")), file)).toBe("bundle_archive_unsafe");
});

test("a long name without its file is refused", () => {
  expect(openHostile(file, pax(paxRecord("path", "b.rego")))).toBe("bundle_archive_invalid");
});
