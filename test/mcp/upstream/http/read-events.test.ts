import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createEventReader } from "../../../../src/mcp/upstream/http/read-events.ts";

interface Seen {
  readonly events: { readonly id: string | undefined; type: string; data: string }[];
  readonly retries: number[];
  readonly oversize: number[];
}

function readAll(chunks: readonly Buffer[], maxBytes = 1000): Seen {
  const seen: Seen = { events: [], retries: [], oversize: [] };
  const read = createEventReader(maxBytes, {
    onEvent: ({ id, type, data }) => seen.events.push({ id, type, data: data.toString() }),
    onRetry: (retryMs) => seen.retries.push(retryMs),
    onOversize: (bytes) => seen.oversize.push(bytes),
  });
  for (const chunk of chunks) read(chunk);
  return seen;
}

const read = (text: string, maxBytes?: number): Seen => readAll([Buffer.from(text)], maxBytes);

describe("a stream of server-sent events", () => {
  test("reads ids, types, data of several lines, comments and unknown fields", () => {
    const text = ": hi\nid: 7\nevent: x\ndata: a\ndata:b\ndata:  c\nfoo: bar\n\ndata: next\n\n";
    expect(read(text).events).toEqual([
      { id: "7", type: "x", data: "a\nb\n c" },
      { id: undefined, type: "message", data: "next" },
    ]);
  });

  test("tells an event of an id alone, with which a server starts a stream", () => {
    expect(read("id: 1\ndata:\n\n").events).toEqual([{ id: "1", type: "message", data: "" }]);
    expect(read("id: 1\n\n").events).toEqual([{ id: "1", type: "message", data: "" }]);
    expect(read("event: x\n\n: y\n\n").events).toEqual([]);
  });

  test("takes waiting times that are digits only, and ids that a header can carry", () => {
    const { events, retries } = read(
      "retry: 10\nretry: 1e3\nretry: -1\nid: a\0b\nid: c\u0007\ndata: x\n\n",
    );
    expect(retries).toEqual([10]);
    expect(events[0]?.id).toBeUndefined();
  });

  test("drops an event over the limit and goes on with the next", () => {
    const long = "x".repeat(600);
    const text = `data: ${long}\ndata: ${long}\n\ndata: ${long}${long}\n\ndata: small\n\n`;
    const { events, oversize } = read(text);
    expect(events.map(({ data }) => data)).toEqual(["small"]);
    expect(oversize).toHaveLength(2);
  });

  test("does not count what a server says in comments", () => {
    const text = `${": keep alive\n".repeat(200)}data: x\n\n`;
    expect(read(text).events).toHaveLength(1);
  });

  test("counts lines of no data, which cost memory too", () => {
    expect(read(`${"data:\n".repeat(200)}\n`).oversize).toHaveLength(1);
  });

  test("reads a long line that comes byte by byte", () => {
    const text = `data: ${"x".repeat(5000)}\n\n`;
    const chunks = Array.from(text, (character) => Buffer.from(character));
    expect(readAll(chunks, 10_000).events[0]?.data).toHaveLength(5000);
  });

  test("loses an event that never ended", () => {
    expect(read("data: x\n\ndata: y\n").events).toHaveLength(1);
  });

  test("ignores a byte order mark before the first line", () => {
    expect(read("\ufeffdata: x\n\n").events).toHaveLength(1);
  });

  test("reads the same however it is cut into chunks and however its lines end", () => {
    const line = fc.constantFrom("data: é€😀", "id: 1", "event: x", ": c", "", "retry: 5", "data");
    const end = fc.constantFrom("\n", "\r\n", "\r");
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 12 }),
        end,
        fc.array(fc.nat(80)),
        (lines, lineEnd, cuts) => {
          const whole = Buffer.from(lines.map((one) => one + lineEnd).join(""));
          const expected = read(lines.map((one) => `${one}\n`).join(""));
          const bounds = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
          const chunks = bounds.map((start, index) => whole.subarray(start, bounds[index + 1]));
          expect(readAll(chunks)).toEqual(expected);
        },
      ),
    );
  });
});
