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

  test("keeps the text of input responses and of a task beside that of the arguments", () => {
    const params =
      '{"name":"x","arguments":{"10":1,"b":2},"inputResponses":{"z":{"action":"accept"}, "1":{}},"task":{"ttl": 5}}';
    const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
    expect(read(text)).toMatchObject({
      argumentsJson: '{"10":1,"b":2}',
      inputResponsesJson: '{"z":{"action":"accept"},"1":{}}',
      taskJson: '{"ttl":5}',
    });
    const bare = read('{"jsonrpc":"2.0","id":1,"method":"tools/call","result":1}');
    expect(bare.kind).toBe("malformed");
    expect(read('{"jsonrpc":"2.0","id":1,"method":"ping"}')).toMatchObject({
      argumentsJson: undefined,
      inputResponsesJson: undefined,
      taskJson: undefined,
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

  test.each([
    ["a one-element batch", '[{"jsonrpc":"2.0","id":1,"method":"tools/call"}]'],
    ["a nested batch", '[[{"jsonrpc":"2.0","id":1,"method":"tools/call"}]]'],
    [
      "a batch of request and notification",
      '[{"jsonrpc":"2.0","id":1,"method":"x"},{"method":"y"}]',
    ],
    ["an empty batch", "[]"],
  ])("B4: that is %s is refused as a whole", (_, text) => {
    expect(read(text)).toMatchObject({ kind: "malformed", code: -32_600, id: null });
  });

  test.each([
    ["name", '{"name":"a","name":"b"}'],
    ["arguments", '{"arguments":{},"arguments":{"x":1}}'],
    ["a key far inside", '{"arguments":{"a":[{"b":{"c":1,"c":2}}]}}'],
    ["an escaped spelling", String.raw`{"arguments":{"a":1,"\u0061":2}}`],
  ])("B1: with %s twice is refused", (_, params) => {
    const text = `{"jsonrpc":"2.0","id":9,"method":"tools/call","params":${params}}`;
    expect(read(text)).toMatchObject({
      kind: "malformed",
      id: 9,
      reason: "duplicate_key",
      method: "tools/call",
    });
  });

  test.each(["Method", "METHOD", "Params", "paramſ", "Id", "İd"])(
    "B2: with a member %s beside the real ones is refused",
    (member) => {
      const text = `{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{},"${member}":{}}`;
      expect(read(text)).toMatchObject({ kind: "malformed", id: 9 });
    },
  );

  test.each([
    ["Arguments", { Arguments: { id: 1 } }],
    ["ARGUMENTS", { ARGUMENTS: { id: 1 } }],
    ["tasK", { "tas\u212A": { ttl: 1 } }],
  ])("B2: with %s in its params has no arguments and no task", (_, params) => {
    const message = { jsonrpc: "2.0", id: 9, method: "tools/call", params };
    expect(read(JSON.stringify(message))).toMatchObject({
      kind: "request",
      argumentsJson: undefined,
      taskJson: undefined,
    });
  });

  test("B25: takes argument keys that objects have by nature as what they are", () => {
    const args =
      '{"constructor":{"prototype":1},"toString":2,"then":3,"hasOwnProperty":4,"toJSON":5}';
    const text = `{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"arguments":${args}}}`;
    const message = read(text);
    expect(message).toMatchObject({ kind: "request", argumentsJson: args });
    expect(message.kind === "request" && message.params).toEqual({ arguments: JSON.parse(args) });
  });

  test("B25: refuses __proto__ as a key at any level", () => {
    const text =
      '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"arguments":{"a":[{"__proto__":1}]}}}';
    expect(read(text)).toMatchObject({ kind: "malformed", reason: "forbidden_key" });
  });

  test("is never a method by another spelling", () => {
    const text = String.raw`{"jsonrpc":"2.0","id":1,"method":"tools\/call\u0000"}`;
    expect(read(text)).toMatchObject({ method: "tools/call\u0000" });
  });
});

describe("an answer of a client", () => {
  test("carries its result as the normalised text, key order as sent", () => {
    const text =
      '{"jsonrpc":"2.0","id":5,"result":{"action":"accept", "content":{"b":1.0,"1":"\\u0041"}}}';
    expect(read(text)).toEqual({
      kind: "response",
      id: 5,
      answer: { kind: "result", resultJson: '{"action":"accept","content":{"b":1,"1":"A"}}' },
    });
  });

  test.each([
    ['{"code":-1,"message":"no"}', { kind: "error", code: -1, message: "no" }],
    ['{"code":1,"message":"","data":null}', { kind: "error", code: 1, message: "", data: null }],
  ])("carries its error %s", (error, answer) => {
    expect(read(`{"jsonrpc":"2.0","id":"5","error":${error}}`)).toEqual({
      kind: "response",
      id: "5",
      answer,
    });
  });

  test.each([
    ["both", '"result":{},"error":{"code":1,"message":"x"}'],
    ["a list as result", '"result":[]'],
    ["null as result", '"result":null'],
    ["a text as result", '"result":"yes"'],
    ["a text as error", '"error":"no"'],
    ["an error without code", '"error":{"message":"no"}'],
    ["an error with half a code", '"error":{"code":1.5,"message":"no"}'],
    ["an error without message", '"error":{"code":1}'],
    ["an error with more", '"error":{"code":1,"message":"no","stack":"x"}'],
    ["more beside it", '"result":{},"params":{}'],
    ["a key twice inside", '"result":{"a":1,"a":2}'],
    ["two results", '"result":{},"result":{"action":"accept"}'],
    ["a number that no double holds", '"result":{"n":12345678901234567890}'],
  ])("with %s is malformed, and never answered under the id that it names", (_, members) => {
    expect(read(`{"jsonrpc":"2.0","id":5,${members}}`)).toMatchObject({
      kind: "malformed",
      id: null,
      answers: 5,
    });
  });

  test("with an id that the gateway never gives is malformed and answers nothing", () => {
    expect(read('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}')).toMatchObject({
      kind: "malformed",
      id: null,
      answers: undefined,
    });
  });

  test("B3: with a method is a request that is malformed", () => {
    expect(read('{"jsonrpc":"2.0","id":5,"method":"ping","result":{}}')).toMatchObject({
      kind: "malformed",
      id: 5,
      answers: undefined,
      method: "ping",
    });
  });
});
