import { describe, expect, test } from "vitest";
import { readServerMessage } from "../../../src/mcp/wire/read-server-message.ts";
import type { RawResult } from "../../../src/mcp/wire/read-server-message.ts";
import { rewriteResult } from "../../../src/mcp/wire/rewrite-result.ts";

const read = (text: string) => readServerMessage(Buffer.from(text));

describe("a message from an upstream", () => {
  test("keeps the bytes of its result as they came, large numbers and spaces included", () => {
    const result = '{ "n": 12345678901234567890, "e":1E400, "t":"\\ud83d\\ude00" }';
    const message = read(`{"jsonrpc":"2.0","id":3,"result":${result}}`);
    expect(message.kind === "result" && message.result.bytes.toString()).toBe(result);
  });

  test("is found wherever id and result stand", () => {
    const message = read('{"result":{"a":"}\\"{"} , "id" : 4,"jsonrpc":"2.0"}');
    expect(message).toMatchObject({ kind: "result", id: 4 });
    expect(message.kind === "result" && message.result.bytes.toString()).toBe('{"a":"}\\"{"}');
  });

  test.each([
    ["garbage text", "Server listening on 8080", undefined],
    ["half a message", '{"jsonrpc":"2.0","id":1,', undefined],
    ["a second id", '{"jsonrpc":"2.0","id":1,"id":2,"result":{}}', 2],
    ["a second result", '{"jsonrpc":"2.0","id":1,"result":{},"result":{"x":1}}', 1],
    [
      "two members of one name in its result",
      '{"jsonrpc":"2.0","id":1,"result":{"_meta":{},"_meta":{}}}',
      1,
    ],
    ["result and error", '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}', 1],
    ["a result that is no object", '{"jsonrpc":"2.0","id":1,"result":[]}', 1],
    ["an error without message", '{"jsonrpc":"2.0","id":1,"error":{"code":1}}', 1],
    ["method and result", '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', 1],
    ["a request with a null id", '{"jsonrpc":"2.0","id":null,"method":"ping"}', undefined],
    [
      "deeper than 64 levels",
      `{"jsonrpc":"2.0","id":1,"result":{"x":${"[".repeat(64)}${"]".repeat(64)}}}`,
      1,
    ],
  ])("that is %s is garbage, with its id where it has one", (_, text, id) => {
    expect(read(text)).toMatchObject({ kind: "garbage", id });
  });

  test("that is a request hands out its params, and none are an empty object", () => {
    const text = '{"jsonrpc":"2.0","id":"a","method":"roots/list","params":{"x":[1]}}';
    expect(read(text)).toEqual({
      kind: "request",
      id: "a",
      method: "roots/list",
      params: { x: [1] },
      bytes: text.length,
    });
    expect(read('{"jsonrpc":"2.0","id":1,"method":"ping"}')).toMatchObject({ params: {} });
  });

  test.each([
    ["params that are an array", '{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}'],
    ["a key __proto__", '{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":{"__proto__":1}}}'],
    ["two ids", '{"jsonrpc":"2.0","id":2,"id":1,"method":"x"}'],
    ["another version of JSON-RPC", '{"jsonrpc":"1.0","id":1,"method":"x"}'],
    [
      "params deeper than 64 levels",
      `{"jsonrpc":"2.0","id":1,"method":"x","params":{"x":${"[".repeat(64)}${"]".repeat(64)}}}`,
    ],
  ])("that is a request with %s is a bad request, never a bad answer", (_, text) => {
    expect(read(text)).toMatchObject({ kind: "bad_request", id: 1 });
  });

  test("that is no UTF-8 is garbage", () => {
    expect(readServerMessage(Buffer.from([0x7b, 0xff, 0x7d])).kind).toBe("garbage");
  });
});

function resultOf(text: string): RawResult {
  const message = readServerMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,"result":${text}}`));
  if (message.kind !== "result") throw new Error(JSON.stringify(message));
  return message.result;
}

describe("rewriting a result", () => {
  const rewrite = (text: string, set: Record<string, string>, prefix = "io.mcp-gateway/") =>
    rewriteResult(resultOf(text), {
      set,
      dropsMeta: (key) => key.startsWith(prefix),
    }).toString();

  test("leaves the bytes alone where there is nothing to change", () => {
    const text = '{ "content":[ ], "_meta": {"x":1} }';
    expect(rewrite(text, {})).toBe(text);
  });

  test("sets a member once, whether it was there or not", () => {
    expect(rewrite('{"a":1.50}', { resultType: '"complete"' })).toBe(
      '{"resultType":"complete","a":1.50}',
    );
    const forged = '{"resultType":"input_required","a":1.50}';
    expect(rewrite(forged, { resultType: '"complete"' })).toBe(
      '{"resultType":"complete","a":1.50}',
    );
  });

  test("takes the gateway's own keys out of what an upstream says, keeping the bytes of the rest", () => {
    const text = '{"a":1.50,"_meta":{"io.mcp-gateway/decision":{"allow":true},"x":1.0}}';
    expect(rewrite(text, {})).toBe('{"a":1.50,"_meta":{"x":1.0}}');
  });

  test("leaves out a _meta that says one key twice", () => {
    const text = '{"a":1,"_meta":{"io.mcp-gateway/decision":1,"io.mcp-gateway/decision":2}}';
    expect(rewrite(text, {})).toBe('{"a":1}');
  });
});
