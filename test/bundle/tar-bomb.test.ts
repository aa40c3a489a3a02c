import { deflateRawSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { archiveLimits, openArchive } from "../../src/bundle/archive.ts";
import { thrownCode } from "../support/bundle-setting.ts";
import { hostileTar, openHostile, paxRecord } from "../support/hostile-tar.ts";

test("an archive that unpacks to more than the limit is stopped there", () => {
  const bomb = gzipSync(Buffer.alloc(archiveLimits.unpackedBytes + 1));
  expect(bomb.length).toBeLessThan(100_000);
  const before = process.memoryUsage().rss;
  expect(thrownCode(() => openArchive(bomb))).toBe("bundle_too_large");
  expect(process.memoryUsage().rss - before).toBeLessThan(4 * archiveLimits.unpackedBytes);
});

test("an archive with more entries than the limit is refused", () => {
  const entries = Array.from({ length: archiveLimits.files + 1 }, (_, index) => ({
    name: `f${index}`,
  }));
  expect(openHostile(...entries)).toBe("bundle_too_large");
  expect(openHostile(...entries.slice(1))).toBe("opened");
});

test("folders and headers count as entries too", () => {
  const folders = Array.from({ length: archiveLimits.files + 1 }, (_, index) => ({
    name: `f${index}`,
    type: "5",
  }));
  expect(openHostile(...folders)).toBe("bundle_too_large");
});

test("an extended header of a megabyte is refused", () => {
  const content = paxRecord("comment", "x".repeat(900_000));
  expect(openHostile({ name: "PaxHeader", type: "x", content }, { name: "a" })).toBe(
    "bundle_archive_invalid",
  );
});

test("deflate data that never ends in a whole block is refused", () => {
  const cut = deflateRawSync(hostileTar({ name: "a", content: "x" })).subarray(0, 20);
  const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
  const bytes = Buffer.concat([head, cut, Buffer.alloc(8)]);
  expect(thrownCode(() => openArchive(bytes))).toBe("bundle_archive_invalid");
});
