/**
 * What is refused before any message is read, and what is not.
 */
import { describe, expect, test } from "vitest";
import { initialize, modern } from "./messages.ts";
import type { Headers } from "./open-front.ts";
import { openFront, sendBytes } from "./open-front.ts";

const discover = modern("server/discover");

async function statusWith(headers: Headers, settings = {}): Promise<number> {
  const front = await openFront(settings);
  const answer = await front.send({ ...discover, headers: { ...discover.headers, ...headers } });
  return answer.status;
}

describe("the Host of a request", () => {
  test("may be the address that is listened on", async () => {
    expect(await statusWith({})).toBe(200);
  });

  test.each(["localhost", "localhost:9999", "[::1]:80", "127.0.0.1", "LOCALHOST:1"])(
    "may be %s on loopback",
    async (host) => expect(await statusWith({ Host: host })).toBe(200),
  );

  test.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "localhost:80@evil.example",
    "localhost.",
    "user@localhost",
  ])("is refused where it is %j", async (host) => {
    expect(await statusWith({ Host: host })).toBe(403);
  });

  test.each(["HTTP/1.0\r\n", "HTTP/1.1\r\nHost:\r\n"])("has to be there: %j", async (rest) => {
    const front = await openFront();
    const text = await sendBytes(front.port, `GET /mcp ${rest}Connection: close\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
  });

  test("may be the one of the public URL, with its usual port or without", async () => {
    const settings = { http: { publicUrl: "https://gw.example/mcp" } };
    expect(await statusWith({ Host: "gw.example" }, settings)).toBe(200);
    expect(await statusWith({ Host: "gw.example:443" }, settings)).toBe(200);
    expect(await statusWith({ Host: "gw.example:8443" }, settings)).toBe(403);
  });

  test("may be listed, with any port where none is listed", async () => {
    const settings = { http: { allowedHosts: ["Mcp.Svc", "other.svc:81"] } };
    expect(await statusWith({ Host: "mcp.svc:8080" }, settings)).toBe(200);
    expect(await statusWith({ Host: "other.svc:81" }, settings)).toBe(200);
    expect(await statusWith({ Host: "other.svc:82" }, settings)).toBe(403);
  });

  test("that is refused is told to the operator now and then, without what was sent", async () => {
    const front = await openFront();
    const foreign = { ...discover, headers: { ...discover.headers, Host: "evil.example" } };
    for (let count = 0; count < 3; count += 1) await front.send(foreign);
    expect(front.log.lines).toMatchObject([{ message: "http request refused" }]);
    front.state.nowMs = 10_000;
    await front.send(foreign);
    expect(front.log.lines[1]?.data).toMatchObject({ status: 403, suppressed: 2 });
    expect(JSON.stringify(front.log.lines)).not.toContain("evil");
  });

  test("is not what a forwarding header says (B39)", async () => {
    const spoofed = {
      Host: "evil.example",
      "X-Forwarded-Host": "localhost",
      "X-Original-Host": "localhost",
      Forwarded: "host=localhost",
    };
    expect(await statusWith(spoofed)).toBe(403);
  });
});

describe("the Origin of a request", () => {
  test("may be that of the host it calls", async () => {
    const front = await openFront();
    const headers = { ...discover.headers, Origin: `http://127.0.0.1:${front.port}` };
    const answer = await front.send({ ...discover, headers });
    expect(answer.status).toBe(200);
    expect(answer.headers["access-control-allow-origin"]).toBe(headers.Origin);
    expect(answer.headers.vary).toBe("Origin");
  });

  test.each([
    "http://evil.example",
    "http://127.0.0.1:1",
    "http://localhost:3000",
    "https://127.0.0.1",
    "null",
    "file://",
  ])("is refused where it is %s", async (origin) => {
    expect(await statusWith({ Origin: origin })).toBe(403);
  });

  test("may be listed, but null never", async () => {
    const settings = { http: { allowedOrigins: ["https://app.example", "null"] } };
    expect(await statusWith({ Origin: "https://app.example" }, settings)).toBe(200);
    expect(await statusWith({ Origin: "null" }, settings)).toBe(403);
  });

  test("of the public host has to have its scheme", async () => {
    const settings = { http: { publicUrl: "https://gw.example/mcp" } };
    const Host = "gw.example";
    expect(await statusWith({ Host, Origin: "https://gw.example" }, settings)).toBe(200);
    expect(await statusWith({ Host, Origin: "http://gw.example" }, settings)).toBe(403);
  });

  test("gets a preflight answered where it is allowed, for the headers of MCP only", async () => {
    const front = await openFront({ http: { allowedOrigins: ["https://app.example"] } });
    const headers = {
      Origin: "https://app.example",
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "authorization, mcp-param-region, x-internal",
    };
    const answer = await front.send({ method: "OPTIONS", headers });
    expect(answer.status).toBe(204);
    expect(answer.headers["access-control-allow-headers"]).toBe("authorization, mcp-param-region");
    const foreign = { ...headers, Origin: "https://evil.example" };
    const refused = await front.send({ method: "OPTIONS", headers: foreign });
    expect(refused.status).toBe(403);
    expect(refused.headers["access-control-allow-origin"]).toBeUndefined();
  });
});

describe("a header that has to be single", () => {
  test.each([
    ["Authorization", "Bearer alice", "Bearer bob"],
    ["Mcp-Session-Id", "a", "b"],
    ["MCP-Protocol-Version", "2026-07-28", "2025-11-25"],
    ["Mcp-Name", "a", "b"],
    ["Mcp-Method", "tools/list", "tools/call"],
    ["Origin", "http://localhost", "http://evil.example"],
    ["Host", "localhost", "evil.example"],
    ["Content-Type", "application/json", "text/plain"],
    ["Last-Event-ID", "1", "2"],
  ])("is refused where %s stands twice (B18)", async (name, first, second) => {
    const front = await openFront();
    const lines = ["POST /mcp HTTP/1.1", "Accept: */*", "Content-Length: 2", "Connection: close"];
    if (name !== "Host") lines.push("Host: localhost");
    if (name !== "Content-Type") lines.push("Content-Type: application/json");
    lines.push(`${name}: ${first}`, `${name.toLowerCase()}: ${second}`);
    const text = await sendBytes(front.port, `${lines.join("\r\n")}\r\n\r\n{}`);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain(`expected one header ${name.toLowerCase()}`);
    expect(front.malformed).toHaveLength(0);
  });
});

describe("a request without the right token", () => {
  test("is refused with the challenge, before its body is read", async () => {
    const front = await openFront();
    const lines = [
      "POST /mcp HTTP/1.1",
      "Host: localhost",
      "Content-Type: application/json",
      "Accept: */*",
      "Authorization: Bearer nobody",
      "Content-Length: 1000000",
      "Connection: close",
    ];
    const text = await sendBytes(front.port, `${lines.join("\r\n")}\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
    expect(text).toContain('WWW-Authenticate: Bearer error="invalid_token"');
  });

  test.each(["GET", "POST", "DELETE"])("is refused on %s", async (method) => {
    const front = await openFront();
    const headers = { Authorization: "Bearer nobody" };
    expect((await front.send({ method, headers })).status).toBe(401);
  });

  test("that has too little scope is refused with 403 and the challenge", async () => {
    const wwwAuthenticate = 'Bearer error="insufficient_scope", scope="mcp:crm"';
    const front = await openFront({
      authenticate: async () => ({ ok: false, status: 403, wwwAuthenticate, message: "no scope" }),
    });
    const answer = await front.send(discover);
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([403, wwwAuthenticate]);
  });

  test("is told to come back where nobody can say", async () => {
    const front = await openFront({
      authenticate: async () => ({ ok: false, status: 503, retryAfterSeconds: 7, message: "away" }),
    });
    const answer = await front.send(discover);
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "7"]);
  });

  test("is not let in because authentication broke", async () => {
    const front = await openFront({
      authenticate: async () => Promise.reject(new Error("broken")),
    });
    expect((await front.send(discover)).status).toBe(500);
    expect(front.log.lines.map(({ message }) => message)).toEqual(["http request failed"]);
  });
});

describe("paths and methods", () => {
  test.each([
    "/",
    "/mcp/",
    "/mcp/x",
    "/MCP",
    "//mcp",
    "/admin",
    "/.well-known/openid-configuration",
  ])("%s is not there", async (path) => {
    const front = await openFront();
    expect((await front.send({ ...discover, path })).status).toBe(404);
  });

  test("the endpoint is at the path of the public URL", async () => {
    const front = await openFront({ http: { publicUrl: "http://localhost/gate/mcp" } });
    expect(front.url).toBe("http://localhost/gate/mcp");
    expect((await front.send({ ...discover, path: "/gate/mcp" })).status).toBe(200);
    expect((await front.send(discover)).status).toBe(404);
  });

  test.each(["PUT", "PATCH", "HEAD"])("%s is not allowed", async (method) => {
    const front = await openFront();
    const answer = await front.send({ method });
    expect([answer.status, answer.headers.allow]).toEqual([405, "GET, POST, DELETE, OPTIONS"]);
  });

  test("the metadata of the protected resource is public at both of its paths", async () => {
    const front = await openFront({ metadata: { resource: "https://gw.example/mcp" } });
    for (const path of ["", "/mcp"]) {
      const answer = await front.send({
        method: "GET",
        path: `/.well-known/oauth-protected-resource${path}`,
        headers: { Authorization: "Bearer nobody", Origin: "https://any.example" },
      });
      expect(answer.status).toBe(200);
      expect(answer.headers["access-control-allow-origin"]).toBe("*");
      expect(answer.json).toEqual({ resource: "https://gw.example/mcp" });
    }
  });

  test("there is no metadata where no issuer is configured", async () => {
    const front = await openFront();
    const path = "/.well-known/oauth-protected-resource";
    expect((await front.send({ method: "GET", path })).status).toBe(404);
  });

  test("health needs no name and no token, and readiness follows the gateway", async () => {
    const front = await openFront();
    const probe = (path: string) =>
      front.send({ method: "GET", path, headers: { Host: "10.1.2.3", Authorization: "x" } });
    expect((await probe("/livez")).status).toBe(200);
    for (const [readiness, status] of [
      ["ready", 200],
      ["degraded", 200],
      ["starting", 503],
      ["unable", 503],
    ] as const) {
      front.state.readiness = readiness;
      expect((await probe("/livez")).status).toBe(200);
      expect(await probe("/readyz")).toMatchObject({ status, json: { status: readiness } });
    }
    expect((await front.send({ path: "/readyz" })).status).toBe(405);
    const { status, text } = await front.send({ method: "HEAD", path: "/readyz" });
    expect([status, text]).toEqual([503, ""]);
    expect((await front.send({ path: "/livez" })).status).toBe(405);
  });
});

test("a handshake with everything right begins a session", async () => {
  const front = await openFront();
  const answer = await front.send({ body: initialize() });
  expect(answer.status).toBe(200);
  expect(answer.headers["mcp-session-id"]).toMatch(/^[\da-f]{64}$/);
});
