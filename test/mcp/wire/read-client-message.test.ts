import { describe, expect, test } from "vitest";
import { readClientMessage } from "../../../src/mcp/wire/read-client-message.ts";

const read = (text: string) => readClientMessage(Buffer.from(text));

describe("a message from a client", () => {
  test("is a request with its id, method, params and the text of its arguments", () => {
    const text =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"b": 1,"a":2}}}';
    expect(read(text)).toMatchObject({
      kind: "request",
      id: 1,
      method: "tools/call",
      argumentsJson: '{"b":1,"a":2}',
    });
  });

  test("without an id is a notification, whatever its method", () => {
    const message = read('{"jsonrpc":"2.0","method":"tools/call","params":{"name":"x"}}');
    expect(message.kind).toBe("notification");
  });

  test.each([
    ["not JSON", "{oops", -32_700, null],
    ["text after the value", '{"jsonrpc":"2.0","id":1,"method":"ping"} x', -32_700, null],
    ["a batch", '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32_600, null],
    ["a bare string", '"ping"', -32_600, null],
    ["another version", '{"jsonrpc":"1.0","id":3,"method":"ping"}', -32_600, 3],
    ["no version", '{"id":3,"method":"ping"}', -32_600, 3],
    [
      "a second method",
      '{"jsonrpc":"2.0","id":3,"method":"ping","method":"tools/call"}',
      -32_600,
      3,
    ],
    [
      "another spelling of method",
      '{"jsonrpc":"2.0","id":3,"method":"ping","Method":"x"}',
      -32_600,
      3,
    ],
    ["method and result", '{"jsonrpc":"2.0","id":3,"method":"ping","result":{}}', -32_600, 3],
    ["a null id", '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32_600, null],
    ["a fractional id", '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32_600, null],
    ["an object as id", '{"jsonrpc":"2.0","id":{},"method":"ping"}', -32_600, null],
    ["an array as params", '{"jsonrpc":"2.0","id":3,"method":"ping","params":[]}', -32_600, 3],
    ["a number as method", '{"jsonrpc":"2.0","id":3,"method":7}', -32_600, 3],
    ["neither method nor result", '{"jsonrpc":"2.0"}', -32_600, null],
    ["a large number", '{"jsonrpc":"2.0","id":4,"method":"x","params":{"n":1e30}}', -32_600, 4],
    ["a deep one", `{"jsonrpc":"2.0","id":4,"x":${"[".repeat(99)}`, -32_600, null],
  ])("that is %s is malformed and says so with code and id", (_, text, code, id) => {
    expect(read(text)).toMatchObject({ kind: "malformed", code, id });
  });

  test("that is no UTF-8 is malformed, never decoded with replacements", () => {
    const bytes = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"p?"}');
    bytes[bytes.indexOf("?")] = 0xff;
    expect(readClientMessage(bytes)).toMatchObject({ kind: "malformed", code: -32_700 });
  });

  test("tells a number id from the same digits as a string", () => {
    expect(read('{"jsonrpc":"2.0","id":"1","method":"ping"}')).toMatchObject({ id: "1" });
    expect(read('{"jsonrpc":"2.0","id":1,"method":"ping"}')).toMatchObject({ id: 1 });
  });

  test("names where a number is out of range", () => {
    const text =
      '{"jsonrpc":"2.0","id":4,"method":"x","params":{"arguments":{"n":12345678901234567890}}}';
    expect(read(text)).toMatchObject({ message: expect.stringContaining("/params/arguments/n") });
  });

  test("is never a method by another spelling", () => {
    const text = String.raw`{"jsonrpc":"2.0","id":1,"method":"tools\/call\u0000"}`;
    expect(read(text)).toMatchObject({ method: "tools/call\u0000" });
  });
});
