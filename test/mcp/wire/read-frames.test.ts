import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findOversizeId } from "../../../src/mcp/wire/find-oversize-id.ts";
import type { OversizeFrame } from "../../../src/mcp/wire/read-frames.ts";
import { createFrameReader } from "../../../src/mcp/wire/read-frames.ts";

function reader(maxBytes: number) {
  const frames: string[] = [];
  const oversize: OversizeFrame[] = [];
  const push = createFrameReader(
    { maxBytes },
    {
      onFrame: (frame) => frames.push(frame.toString("utf8")),
      onOversize: (frame) => oversize.push(frame),
    },
  );
  return { frames, oversize, push: (text: string) => push(Buffer.from(text)) };
}

describe("newline framing", () => {
  test("gives the same lines however the bytes are cut into chunks", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ minLength: 1 }).filter((line) => !/[\r\n]/.test(line)),
          { maxLength: 8 },
        ),
        fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
        (lines, sizes) => {
          const frames: string[] = [];
          const push = createFrameReader(
            { maxBytes: 1 << 20 },
            {
              onFrame: (frame) => frames.push(frame.toString("utf8")),
              onOversize: () => frames.push("!"),
            },
          );
          let rest = Buffer.from(lines.map((line) => `${line}\n`).join(""));
          for (const size of sizes) {
            if (rest.length === 0) break;
            push(Buffer.from(rest.subarray(0, size)));
            rest = rest.subarray(size);
          }
          expect(frames).toEqual(lines);
        },
      ),
    );
  });

  test("ends lines with CR LF too, and skips empty ones", () => {
    const { frames, push } = reader(100);
    push("a\r\n\r\n\nb\n");
    expect(frames).toEqual(["a", "b"]);
  });

  test("loses an unfinished line, which is no message", () => {
    const { frames, push } = reader(100);
    push('{"half":');
    expect(frames).toEqual([]);
  });

  test("drops a message over the limit, reports its ends and reads on", () => {
    const { frames, oversize, push } = reader(2000);
    push(`{"id":7,${"x".repeat(1500)}`);
    push(`${"y".repeat(1500)},"end":true}\nnext\n`);
    expect(frames).toEqual(["next"]);
    expect(oversize).toHaveLength(1);
    expect(oversize[0]?.bytes).toBe(8 + 1500 + 1500 + 12);
    expect(oversize[0]?.head.toString()).toMatch(/^\{"id":7,x+$/);
    expect(oversize[0]?.tail.toString()).toMatch(/^y+,"end":true\}$/);
  });

  test("takes a message of exactly the limit", () => {
    const { frames, oversize, push } = reader(10);
    push(`${"a".repeat(10)}\n${"b".repeat(11)}\n`);
    expect(frames).toEqual(["a".repeat(10)]);
    expect(oversize).toHaveLength(1);
  });
});

describe("the id of an oversize message", () => {
  const idOf = (head: string, tail: string) =>
    findOversizeId({ bytes: 0, head: Buffer.from(head), tail: Buffer.from(tail) });

  test.each([
    ['{"jsonrpc":"2.0","id":5,"result":{"content":', 'zzz"}}', 5],
    ['{"id":5,"jsonrpc":"2.0","result":{', "zzz", 5],
    ['{"jsonrpc":"2.0","id":"a-1","method":"tools/call","params":', "zzz", "a-1"],
    ['{"method":"tools/call","jsonrpc":"2.0","id":9,"params":', "zzz", 9],
    ['{"result":{"content":', 'zz"}]},"jsonrpc":"2.0","id":12}', 12],
    ['{"result":{', '}},"id":13,"jsonrpc":"2.0"}', 13],
  ])("is found in %s … %s", (head, tail, id) => {
    expect(idOf(head, tail)).toBe(id);
  });

  test("is not taken from inside the long member", () => {
    expect(idOf('{"result":{"id":5,', 'zz","id":6}}')).toBeUndefined();
    expect(idOf('{"params":{},"x":{"id":5,', "zz")).toBeUndefined();
  });
});
