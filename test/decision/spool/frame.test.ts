import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeFrames,
  encodeSegmentHeader,
  readSegmentHeader,
  scanFrames,
} from "../../../src/decision/spool/frame.ts";

const texts = (bytes: Buffer, final: boolean): readonly string[] =>
  scanFrames(bytes, 0, final).frames.map(({ payload }) => payload.toString("utf8"));

describe("frames", () => {
  test("any texts come back as they were, whole or in pieces", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 20 }),
        fc.nat(2000),
        (payloads, cut) => {
          const bytes = encodeFrames(payloads);
          expect(texts(bytes, true)).toEqual(payloads);
          const first = scanFrames(bytes.subarray(0, cut), 0, false);
          const second = scanFrames(bytes.subarray(first.next), first.next, false);
          const both = [...first.frames, ...second.frames];
          expect(both.map(({ payload }) => payload.toString("utf8"))).toEqual(payloads);
          expect(first.damage).toEqual([]);
        },
      ),
    );
  });

  test("a changed byte costs at most the record it is in and is reported as damage", () => {
    const payloads = ["first", "second", "third"];
    const bytes = encodeFrames(payloads);
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      const scan = scanFrames(changed, 0, true);
      expect(scan.frames).toHaveLength(2);
      expect(scan.damage).toHaveLength(1);
      expect(payloads).toEqual(expect.arrayContaining([...texts(changed, true)]));
    }
  });

  test("zeros behind the last frame are neither a record nor damage", () => {
    const bytes = Buffer.concat([encodeFrames(["a"]), Buffer.alloc(5000)]);
    const scan = scanFrames(bytes, 0, true);
    expect(scan.frames).toHaveLength(1);
    expect(scan.damage).toEqual([]);
    expect(scan.next).toBe(13);
  });
});

describe("the segment header", () => {
  test("is read back", () => {
    expect(readSegmentHeader(encodeSegmentHeader())).toBe("ok");
  });

  test("says so when the segment is of another version", () => {
    const header = encodeSegmentHeader();
    header.writeUInt32BE(2, 8);
    const { crc32 } = process.getBuiltinModule("node:zlib");
    header.writeUInt32BE(crc32(header.subarray(0, 12)), 12);
    expect(readSegmentHeader(header)).toBe("newer");
  });

  test("is damaged when any byte is changed, and empty when there is none", () => {
    for (let at = 0; at < 16; at += 1) {
      const header = encodeSegmentHeader();
      header[at] = (header[at] ?? 0) ^ 0x01;
      expect(readSegmentHeader(header)).toBe("damaged");
    }
    expect(readSegmentHeader(Buffer.alloc(0))).toBe("empty");
  });
});
