/**
 * Modern requests whose headers and body do not say the same (B18). Each is refused whole, with the
 * id of the request, and none reaches the gateway.
 */
import { describe, expect, test } from "vitest";
import { envelope, modern, modernVersion } from "./messages.ts";
import type { Headers, OpenFront, Sent } from "./open-front.ts";
import { openFront } from "./open-front.ts";

async function refusalOf(front: OpenFront, sent: Sent): Promise<readonly unknown[]> {
  const { status, json } = await front.send(sent);
  expect(front.actions).toHaveLength(0);
  return [status, json.id, json.error?.code];
}

const callEcho = { name: "echo", arguments: {} };
const mismatch = [400, 1, -32_020];
const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString("base64")}?=`;

describe("the version header", () => {
  test.each([
    ["is missing", undefined],
    ["is legacy while the body is modern", "2025-11-25"],
    ["is another one", "2099-01-01"],
    ["has another case", "2026-07-28x"],
  ])("is refused where it %s", async (_, version) => {
    const front = await openFront();
    const sent = modern("tools/call", callEcho, { "MCP-Protocol-Version": version });
    expect(await refusalOf(front, sent)).toEqual(mismatch);
    expect(front.malformed).toHaveLength(1);
  });

  test("that agrees with a body of an unknown version is told the known ones", async () => {
    const front = await openFront();
    const params = {
      _meta: { ...envelope, "io.modelcontextprotocol/protocolVersion": "v999.0.0" },
    };
    const sent = modern("server/discover", params, { "MCP-Protocol-Version": "v999.0.0" });
    const { status, json } = await front.send(sent);
    expect([status, json.id, json.error?.code]).toEqual([400, 1, -32_022]);
    expect(json.error?.data).toEqual({ supported: [modernVersion], requested: "v999.0.0" });
  });

  test.each([
    ["no _meta", { _meta: undefined }],
    ["no version in _meta", { _meta: { "io.modelcontextprotocol/clientCapabilities": {} } }],
  ])("of 2026-07-28 over a body with %s is invalid params", async (_, params) => {
    const front = await openFront();
    const sent = modern("tools/call", { ...callEcho, ...params });
    expect(await refusalOf(front, sent)).toEqual([400, 1, -32_602]);
    expect(front.malformed).toHaveLength(1);
  });

  test("over an envelope without capabilities is invalid params", async () => {
    const front = await openFront();
    const _meta = { "io.modelcontextprotocol/protocolVersion": modernVersion };
    const sent = modern("tools/call", { ...callEcho, _meta });
    expect(await refusalOf(front, sent)).toEqual([400, 1, -32_602]);
  });

  test("does not make an answer of a client out of a modern POST", async () => {
    const front = await openFront();
    const body = { jsonrpc: "2.0", id: 1, result: {} };
    const headers = { "MCP-Protocol-Version": modernVersion };
    expect((await front.send({ headers, body })).status).toBe(400);
  });
});

describe("Mcp-Method", () => {
  test.each([undefined, "tools/list", "TOOLS/CALL", "tools/call\u00a0", ""])(
    "is refused where it is %j before tools/call",
    async (method) => {
      const front = await openFront();
      const sent = modern("tools/call", callEcho, { "Mcp-Method": method });
      expect(await refusalOf(front, sent)).toEqual(mismatch);
    },
  );

  test("may have another case in its own name, and space around its value", async () => {
    const front = await openFront();
    const headers = { "Mcp-Method": undefined, "MCP-METHOD": "  tools/call  " };
    expect((await front.send(modern("tools/call", callEcho, headers))).status).toBe(200);
  });
});

describe("Mcp-Name", () => {
  test.each([
    undefined,
    "other",
    "Echo",
    "echo2",
    base64("other"),
    "=?base64?ZWNobw?=",
    "=?base64?ZWNo!bw=?=",
    "=?BASE64?ZWNobw==?=",
    "=?base64?/w==?=",
    "echo\u00e9",
  ])("is refused where it is %j before the tool echo", async (name) => {
    const front = await openFront();
    const sent = modern("tools/call", callEcho, { "Mcp-Name": name });
    expect(await refusalOf(front, sent)).toEqual(mismatch);
    expect(front.malformed).toHaveLength(1);
  });

  test.each(["echo", "  echo  ", base64("echo")])("is accepted as %j", async (name) => {
    const front = await openFront();
    const answer = await front.send(modern("tools/call", callEcho, { "Mcp-Name": name }));
    expect(answer.status).toBe(200);
  });

  test.each([
    ["prompts/get", { name: "p" }],
    ["resources/read", { uri: "file:///a" }],
    ["tasks/get", { taskId: "t" }],
    ["tasks/update", { taskId: "t" }],
    ["tasks/cancel", { taskId: "t" }],
  ])("is required before %s, and mirrors its own member", async (method, params) => {
    const front = await openFront();
    const missing = modern(method, params, { "Mcp-Name": undefined });
    expect(await refusalOf(front, missing)).toEqual(mismatch);
    const wrong = modern(
      method,
      { ...params, name: "x", uri: "x", ...params },
      { "Mcp-Name": "y" },
    );
    expect(await refusalOf(front, wrong)).toEqual(mismatch);
    const capabilities = { extensions: { "io.modelcontextprotocol/tasks": {} } };
    const _meta = { ...envelope, "io.modelcontextprotocol/clientCapabilities": capabilities };
    await front.send(modern(method, { ...params, _meta }));
    expect(front.malformed).toHaveLength(2);
  });

  test("names nothing before a method without a name", async () => {
    const front = await openFront();
    const orphan = modern("tools/list", {}, { "Mcp-Name": "echo" });
    expect(await refusalOf(front, orphan)).toEqual(mismatch);
  });

  test("that is no ASCII is decoded before it is compared", async () => {
    const front = await openFront();
    const uri = "file:///übung/=?base64?x?=";
    const read = modern("resources/read", { uri }, { "Mcp-Name": base64(uri) });
    expect((await front.send(read)).status).toBe(200);
    expect(front.actions.map(({ subject }) => subject)).toEqual([{ type: "resource_read", uri }]);
  });
});

describe("Mcp-Param", () => {
  async function outcomeOf(args: object, headers: Headers): Promise<readonly unknown[]> {
    const front = await openFront();
    front.mirrors.set("Mcp-Param-Region", "/region");
    front.mirrors.set("Mcp-Param-Count", "/deep/co~1unt");
    const params = { name: "mirrored", arguments: args };
    const answer = await front.send(modern("tools/call", params, headers));
    return [answer.status, answer.json.error?.code, front.actions.length];
  }

  test.each<readonly [string, object, Headers, number]>([
    ["nothing on either side", {}, {}, 200],
    ["the argument without the header", { region: "eu" }, {}, 400],
    ["the header without the argument", {}, { "Mcp-Param-Region": "eu" }, 400],
    ["both alike", { region: "eu" }, { "Mcp-Param-Region": "eu" }, 200],
    ["both alike in another case of the name", { region: "eu" }, { "mcp-param-REGION": "eu" }, 200],
    ["different values", { region: "eu" }, { "Mcp-Param-Region": "us" }, 400],
    ["two headers", { region: "eu" }, { "Mcp-Param-Region": ["eu", "eu"] }, 400],
    ["two headers that join to it", { region: "a, a" }, { "Mcp-Param-Region": ["a", "a"] }, 400],
    ["null without the header", { region: null }, {}, 200],
    ["null as text", { region: null }, { "Mcp-Param-Region": "null" }, 400],
    ["valid Base64", { region: "Hello" }, { "Mcp-Param-Region": base64("Hello") }, 200],
    [
      "Base64 without padding",
      { region: "Hello" },
      { "Mcp-Param-Region": "=?base64?SGVsbG8?=" },
      400,
    ],
    ["no Base64", { region: "Hello" }, { "Mcp-Param-Region": "=?base64?SGVs!!!bG8=?=" }, 400],
    ["Base64 without a start", { region: "SGVsbG8=" }, { "Mcp-Param-Region": "SGVsbG8=" }, 200],
    [
      "Base64 without an end",
      { region: "=?base64?SGVsbG8=" },
      { "Mcp-Param-Region": "=?base64?SGVsbG8=" },
      200,
    ],
    ["an integer", { deep: { "co/unt": 42 } }, { "Mcp-Param-Count": "42.0" }, 200],
    ["another integer", { deep: { "co/unt": 42 } }, { "Mcp-Param-Count": "42.5" }, 400],
    ["an integer as hexadecimal", { deep: { "co/unt": 16 } }, { "Mcp-Param-Count": "0x10" }, 400],
    ["an integer without the header", { deep: { "co/unt": 42 } }, {}, 400],
    ["a header for a member of no object", { deep: "x" }, { "Mcp-Param-Count": "undefined" }, 400],
    ["a header that the tool does not have", {}, { "Mcp-Param-Other": "x" }, 200],
  ])("with %s", async (_, args, headers, status) => {
    const expected = status === 200 ? [200, undefined, 1] : [status, -32_020, 0];
    expect(await outcomeOf(args, headers)).toEqual(expected);
  });

  test("of other tools is not looked at", async () => {
    const front = await openFront();
    front.mirrors.set("Mcp-Param-Region", "/region");
    const params = { name: "echo", arguments: { region: "eu" } };
    expect((await front.send(modern("tools/call", params))).status).toBe(200);
  });
});
