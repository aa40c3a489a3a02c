import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { openArchive } from "../../src/bundle/archive.ts";
import { thrownCode } from "../support/bundle-setting.ts";
import { hostileTar } from "../support/hostile-tar.ts";

const good = gzipSync(hostileTar({ name: "a.rego", content: "package good" }));
const evil = gzipSync(hostileTar({ name: "a.rego", content: "package evil" }));
const open = (bytes: Buffer): string => thrownCode(() => openArchive(bytes)) ?? "opened";
const changed = (at: number, value: number): Buffer => {
  const bytes = Buffer.from(good);
  bytes[at < 0 ? bytes.length + at : at] = value;
  return bytes;
};

describe("a gzip file", () => {
  test("of one member opens", () => {
    expect(open(good)).toBe("opened");
  });

  test("with a second member is refused, although zlib would read on", () => {
    const both = Buffer.concat([good, evil]);
    expect(gunzipSync(both).length).toBeGreaterThan(gunzipSync(good).length);
    expect(open(both)).toBe("bundle_archive_invalid");
  });

  test("with bytes behind its end is refused, although zlib would not look", () => {
    const longer = Buffer.concat([good, Buffer.from("\0hidden")]);
    expect(gunzipSync(longer)).toEqual(gunzipSync(good));
    expect(open(longer)).toBe("bundle_archive_invalid");
  });

  test.each([
    ["that is cut off in its checksum", good.subarray(0, -4)],
    ["that is cut off in its data", good.subarray(0, 40)],
    ["that is only a header", good.subarray(0, 10)],
    ["with a wrong checksum", changed(-8, (good.at(-8) ?? 0) ^ 1)],
    ["with a wrong length", changed(-1, 1)],
    ["with another method", changed(2, 7)],
    ["with reserved flags", changed(3, 0x80)],
    [
      "with a file name that never ends",
      Buffer.concat([changed(3, 8).subarray(0, 10), Buffer.alloc(50, 1)]),
    ],
  ])("%s is refused", (_, bytes) => {
    expect(open(bytes)).toBe("bundle_archive_invalid");
  });

  test("with a name, a comment and an extra field in its header opens", () => {
    const extra = Buffer.from([2, 0, 1, 2]);
    const header = Buffer.concat([
      changed(3, 4 | 8 | 16).subarray(0, 10),
      extra,
      Buffer.from("bundle.tar\0comment\0"),
    ]);
    expect(open(Buffer.concat([header, good.subarray(10)]))).toBe("opened");
  });
});
