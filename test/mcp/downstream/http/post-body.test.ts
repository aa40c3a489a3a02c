/**
 * The body of a POST: what has to be said about it, how long it may be, and when it is no message.
 */
import { describe, expect, test } from "vitest";
import { modern } from "./messages.ts";
import type { Headers } from "./open-front.ts";
import { openFront, sendBytes } from "./open-front.ts";

const discover = modern("server/discover");

async function statusWith(headers: Headers): Promise<number> {
  const front = await openFront();
  const answer = await front.send({ ...discover, headers: { ...discover.headers, ...headers } });
  return answer.status;
}

describe("the body of a POST (B19)", () => {
  test.each([
    ["application/json", 200],
    ["Application/JSON; charset=UTF-8", 200],
    ['application/json; charset="utf-8"', 200],
    ["application/json;", 200],
    ["application/json; charset=utf-16", 415],
    ["application/json; charset=latin1", 415],
    ["application/json; profile=x", 415],
    ["application/jsonx", 415],
    ["text/plain", 415],
    ["text/plain; application/json", 415],
    ["multipart/form-data; boundary=x", 415],
    [undefined, 415],
  ])("with Content-Type %s is answered with %i", async (type, status) => {
    expect(await statusWith({ "Content-Type": type })).toBe(status);
  });

  test.each([
    ["identity", 200],
    ["gzip", 415],
    ["br", 415],
    ["identity, gzip", 415],
  ])("with Content-Encoding %s is answered with %i", async (encoding, status) => {
    expect(await statusWith({ "Content-Encoding": encoding })).toBe(status);
  });

  test.each([
    ["application/json, text/event-stream", 200],
    ["*/*", 200],
    ["application/*;q=0.5, text/*", 200],
    ["TEXT/Event-Stream, Application/Json", 200],
    ["application/json", 406],
    ["text/event-stream", 406],
    ["application/json, text/event-stream;q=0", 406],
    ["text/html", 406],
    [undefined, 406],
  ])("with Accept %s is answered with %i", async (accept, status) => {
    expect(await statusWith({ Accept: accept })).toBe(status);
  });

  test("over the limit is refused, whether its length was announced or not", async () => {
    const front = await openFront({ http: { maxBodyBytes: 1024 } });
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "x".repeat(200_000) });
    const announced = await front.send({ ...discover, body });
    expect([announced.status, announced.headers.connection]).toEqual([413, "close"]);
    const headers = { ...discover.headers, "Transfer-Encoding": "chunked" };
    expect((await front.send({ headers, body })).status).toBe(413);
    expect(front.actions).toHaveLength(0);
  });

  test("of exactly the limit is read", async () => {
    const text = JSON.stringify(discover.body);
    const front = await openFront({ http: { maxBodyBytes: text.length } });
    expect((await front.send(discover)).status).toBe(200);
    expect((await front.send({ ...discover, body: `${text} ` })).status).toBe(413);
  });

  test("that does not come in time ends with 408", async () => {
    const front = await openFront({ limits: { requestTimeoutMs: 100, headersTimeoutMs: 100 } });
    const text = await sendBytes(
      front.port,
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: */*\r\nContent-Length: 100\r\n\r\n{"json`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("with two lengths never reaches a session", async () => {
    const front = await openFront();
    const head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    const smuggled = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    expect(await sendBytes(front.port, head + smuggled)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test.each([
    ["no JSON", "{", -32_700],
    ["a batch", "[]", -32_600],
    ["a batch of one", `[${JSON.stringify(discover.body)}]`, -32_600],
    ["a duplicate key", '{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call"}', -32_600],
    ["broken UTF-8", Buffer.from([0x22, 0xff, 0x22]), -32_700],
    ["UTF-16", Buffer.from("{}", "utf16le"), -32_700],
    ["nothing", "", -32_700],
  ])("that is %s is answered with 400 and recorded", async (_, body, code) => {
    const front = await openFront();
    const answer = await front.send({ ...discover, body });
    expect([answer.status, answer.json.error?.code]).toEqual([400, code]);
    expect(front.malformed.map((client) => client.principal.user.id)).toEqual(["alice"]);
  });
});
