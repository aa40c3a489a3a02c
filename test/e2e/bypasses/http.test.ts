/**
 * B18, B19, B39: what HTTP adds to a message: headers that disagree with the body, bodies in disguise,
 * headers that mean something to somebody. What is refused has not reached
 * a server.
 */
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerOf, envelope, legacyClient, modernClient, modernPost, textOf } from "./clients.ts";
import type { HostileSetting } from "./hostile-setting.ts";
import { acts, buildHostileLayout, writeHostileConfig } from "./hostile-setting.ts";
import type { HttpGateway, Post } from "./http-gateway.ts";
import { startHttpGateway, tokenOf, withTokens } from "./http-gateway.ts";

let setting: HostileSetting;
let gateway: HttpGateway;

beforeAll(async () => {
  const layout = await buildHostileLayout(["h"]);
  const tools = ["echo", "script", "slow", "keyed"].map((name) => ({
    name,
    inputSchema:
      name === "keyed"
        ? { type: "object", properties: { key: { type: "string", "x-mcp-header": "Key" } } }
        : { type: "object" },
  }));
  setting = writeHostileConfig(layout, { h: { era: "legacy", lists: { tools } } }, withTokens());
  gateway = await startHttpGateway(setting);
  await modernClient(gateway, "alice").request("tools/list");
});

afterAll(async () => await gateway.close());

const reached = () => acts(setting.received("h"));

/** The status, and that nothing reached the server. */
async function refusedWith(post: Post): Promise<number> {
  const before = reached().length;
  const { status, text } = await gateway.post(post);
  expect(reached()).toHaveLength(before);
  expect(text).not.toContain('"content"');
  return status;
}

const echo = (headers: Post["headers"] = {}, params: object = {}): Post =>
  modernPost("alice", "tools/call", { name: "h__echo", arguments: {}, ...params }, { headers });

describe("B18 headers and body that disagree are refused before a server hears of it", () => {
  test.each<readonly [string, Post["headers"]]>([
    ["no Mcp-Method", { "Mcp-Method": undefined }],
    ["another Mcp-Method", { "Mcp-Method": "tools/list" }],
    ["Mcp-Method in other case", { "Mcp-Method": "Tools/Call" }],
    ["two Mcp-Methods", { "Mcp-Method": ["tools/call", "tools/call"] }],
    ["no Mcp-Name", { "Mcp-Name": undefined }],
    ["another Mcp-Name", { "Mcp-Name": "h__slow" }],
    ["two Mcp-Names", { "Mcp-Name": ["h__echo", "h__slow"] }],
    ["Mcp-Name with both in one", { "Mcp-Name": "h__echo, h__slow" }],
    ["Mcp-Name encoded badly", { "Mcp-Name": "=?base64?aF9fZWNobw?=" }],
    ["Mcp-Name encoded as another", { "Mcp-Name": `=?base64?${btoa("h__slow")}?=` }],
    ["a legacy version", { "MCP-Protocol-Version": "2025-11-25" }],
    ["no version", { "MCP-Protocol-Version": undefined }],
    ["two versions", { "MCP-Protocol-Version": ["2026-07-28", "2025-11-25"] }],
    ["an unknown version", { "MCP-Protocol-Version": "2026-07-28 x" }],
  ])("B18 with %s", async (_, headers) => {
    expect(await refusedWith(echo(headers))).toBe(400);
  });

  test("B18 an argument that is mirrored has to be mirrored, and as it is", async () => {
    const call = (headers: Post["headers"]) =>
      modernPost("alice", "tools/call", { name: "h__keyed", arguments: { key: "a" } }, { headers });
    for (const headers of [{}, { "Mcp-Param-Key": "b" }, { "Mcp-Param-Key": ["a", "a"] }]) {
      expect(await refusedWith(call(headers))).toBe(400);
    }
    const answer = answerOf(await gateway.post(call({ "Mcp-Param-Key": "a" })));
    expect(textOf(answer)).toContain('"key":"a"');
  });

  test("B18 a legacy body under a modern version header, and a name header that names nothing, are refused", async () => {
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "h__echo" } };
    const modern = {
      "MCP-Protocol-Version": "2026-07-28",
      "Mcp-Method": "tools/call",
      "Mcp-Name": "h__echo",
    };
    expect(await refusedWith({ user: "alice", body, headers: modern })).toBe(400);
    const { headers } = await legacyClient(gateway, "alice");
    expect(
      await refusedWith({ user: "alice", body, headers: { ...headers, "Mcp-Name": "h__slow" } }),
    ).toBe(400);
    const list = { ...body, method: "tools/list", params: {} };
    expect(
      await refusedWith({ user: "alice", body: list, headers: { ...headers, "Mcp-Name": "x" } }),
    ).toBe(400);
  });
});

describe("B19 bodies in disguise are refused", () => {
  const { body } = echo();
  const text = JSON.stringify(body);

  test.each<readonly [string, number, Post["headers"], string | Buffer]>([
    ["no type", 415, { "Content-Type": undefined }, text],
    ["the type of a form", 415, { "Content-Type": "text/plain" }, text],
    [
      "a charset of its own",
      415,
      { "Content-Type": "application/json; charset=utf-16" },
      Buffer.from(text, "utf16le"),
    ],
    ["a type inside another", 415, { "Content-Type": "application/json, text/plain" }, text],
    ["two types", 400, { "Content-Type": ["application/json", "text/plain"] }, text],
    ["a compressed body", 415, { "Content-Encoding": "gzip" }, gzipSync(text)],
    ["a compressed body that does not say so", 400, {}, gzipSync(text)],
    ["UTF-16 that does not say so", 400, {}, Buffer.from(text, "utf16le")],
    [
      "a byte order mark",
      400,
      {},
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]),
    ],
    ["two messages", 400, {}, `${text}\n${text}`],
    ["a batch of one", 400, {}, `[${text}]`],
    ["more than is allowed", 413, {}, `${text.slice(0, -1)},"x":"${"y".repeat(4 << 20)}"}`],
  ])("B19 with %s", async (_, status, headers, sent) => {
    expect(await refusedWith({ ...echo(headers), body: sent })).toBe(status);
  });

  test("B19 a type in other case is that type, and is judged like any other", async () => {
    const headers = { "Content-Type": "Application/JSON; Charset=UTF-8" };
    const denied = await gateway.post(echo(headers, { arguments: { x: "FORBIDDEN" } }));
    expect(denied.text).toContain("forbidden");
    expect(textOf(answerOf(await gateway.post(echo(headers))))).toContain("echo");
  });

  test.each([
    "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "Content-Length: 5\r\nContent-Length: 900",
  ])("B19 with two ways to find its end: %s", async (framing) => {
    const before = reached().length;
    const head = [
      "POST /mcp HTTP/1.1",
      `Host: 127.0.0.1:${gateway.port}`,
      `Authorization: Bearer ${tokenOf("alice")}`,
      "Content-Type: application/json",
      "Accept: application/json, text/event-stream",
      "MCP-Protocol-Version: 2026-07-28",
      "Mcp-Method: tools/call",
      "Mcp-Name: h__echo",
      framing,
    ];
    const chunk = `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n0\r\n\r\n`;
    const said = await rawExchange(`${head.join("\r\n")}\r\n\r\n${chunk}`);
    expect(said).toMatch(/^HTTP\/1\.1 400 /);
    expect(reached()).toHaveLength(before);
  });
});

async function rawExchange(bytes: string): Promise<string> {
  const socket = connect(gateway.port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.write(bytes);
  const timer = setTimeout(() => socket.destroy(), 10_000);
  await new Promise((resolve) => void socket.once("close", resolve));
  clearTimeout(timer);
  return Buffer.concat(chunks).toString("utf8");
}

describe("B39 headers that mean something to somebody else", () => {
  test("B39 mean nothing here, and go nowhere", async () => {
    const headers = {
      "X-Forwarded-User": "admin",
      "X-Forwarded-For": "127.0.0.1",
      "X-Forwarded-Host": "evil.example",
      "X-Agent-Id": "root",
      "X-User-Id": "bob",
      "Mcp-Init-Host": "evil.example",
      "Router-Key": "secret-api-key",
      "X-Original-URL": "/admin",
      Forwarded: "for=127.0.0.1",
      Cookie: "session=1",
    };
    const answer = answerOf(await gateway.post(echo(headers, { arguments: { b39: 1 } })));
    expect(textOf(answer)).toBe('{"name":"echo","arguments":{"b39":1}}');
    const { status } = await gateway.post({ ...echo(headers), user: undefined });
    expect(status).toBe(401);
  });

  test.each(["/admin", "/mcp/", "/mcp/../admin", "/MCP", "//mcp", "/%6dcp"])(
    "B39 the path %s is not the endpoint",
    async (path) => {
      const { status } = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${tokenOf("alice")}`,
          "Content-Type": "application/json",
        },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "ping",
          params: { _meta: envelope() },
        }),
      });
      expect(status).toBe(404);
    },
  );
});

test("what was refused with a message that could be read is on record", async () => {
  await gateway.close();
  const decisions = await setting.decisions();
  const malformed = decisions.filter(({ reasons }) => reasons.includes("malformed_request"));
  expect(malformed.length).toBeGreaterThan(20);
  expect(new Set(malformed.map(({ user }) => user))).toEqual(new Set(["alice"]));
});
