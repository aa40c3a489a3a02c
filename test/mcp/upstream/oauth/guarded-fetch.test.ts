import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  createGuardedFetch,
  standardLimits,
} from "../../../../src/mcp/upstream/oauth/guarded-fetch.ts";
import type { FetchLimits } from "../../../../src/mcp/upstream/oauth/guarded-fetch.ts";
import { serverAt } from "./setting.ts";

async function listenLocally(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Every name is at this address. */
function resolvingTo(address: string): FetchLimits["lookup"] {
  return (_host, _options, done) => done(null, [{ address, family: 4 }]);
}

describe("the network of the OAuth client", () => {
  test("gives up on an answer that does not come", async () => {
    const port = await listenLocally(() => {});
    const url = `http://127.0.0.1:${port}/`;
    const fetch = createGuardedFetch(serverAt(url), { ...standardLimits, timeoutMs: 100 });
    await expect(fetch(url)).rejects.toMatchObject({
      code: "oauth_unreachable",
      message: expect.stringContaining("in time"),
    });
  });

  test("gives up on a body that never ends", async () => {
    const port = await listenLocally((_, response) => {
      const timer = setInterval(() => response.write("x"), 10);
      response.on("close", () => clearInterval(timer));
    });
    const url = `http://127.0.0.1:${port}/`;
    const fetch = createGuardedFetch(serverAt(url), { ...standardLimits, timeoutMs: 200 });
    await expect(fetch(url)).rejects.toMatchObject({ code: "oauth_unreachable" });
  });

  // In less than the ten seconds after which every connection is ended.
  test(
    "does not wait for the end of an event stream, and ends it",
    { timeout: 4_000 },
    async () => {
      let ended: (() => void) | undefined;
      const end = new Promise<void>((resolve) => {
        ended = resolve;
      });
      const port = await listenLocally((_, response) => {
        response.on("close", () => ended?.());
        response.writeHead(200, { "content-type": "text/event-stream" }).write(": hello\n\n");
      });
      const url = `http://127.0.0.1:${port}/`;
      expect((await createGuardedFetch(serverAt(url))(url)).status).toBe(200);
      await end;
    },
  );

  test("sends no credentials that a URL names", async () => {
    const fetch = createGuardedFetch(serverAt("https://mcp.example/mcp"));
    await expect(fetch("https://user:word@auth.example/token")).rejects.toMatchObject({
      code: "oauth_url_refused",
    });
  });

  test.each(["10.0.0.7", "192.168.1.1", "169.254.169.254", "127.0.0.1", "0.0.0.0"])(
    "does not connect to a name that resolves to %s",
    async (address) => {
      const limits = { ...standardLimits, lookup: resolvingTo(address) };
      const fetch = createGuardedFetch(serverAt("https://mcp.example/mcp"), limits);
      await expect(fetch("https://auth.example/token")).rejects.toMatchObject({
        code: "oauth_url_refused",
        message: expect.stringContaining("servers.crm.oauth.issuer"),
      });
    },
  );

  test("connects to a host that the operator named, wherever it is", async () => {
    const limits = { ...standardLimits, lookup: resolvingTo("127.0.0.1"), timeoutMs: 2_000 };
    const issuer = "https://sso.example:1";
    const fetch = createGuardedFetch(serverAt("https://mcp.example/mcp", { issuer }), limits);
    // Nobody listens there: it was let through and then not reached.
    await expect(fetch("https://sso.example:1/token")).rejects.toMatchObject({
      code: "oauth_unreachable",
    });
  });

  test("does not go from a public server to this machine", async () => {
    const port = await listenLocally((_, response) => void response.end("{}"));
    const fetch = createGuardedFetch(serverAt("https://mcp.example/mcp"));
    for (const host of ["127.0.0.1", "localhost", "[::1]", "here.localhost"]) {
      await expect(fetch(`http://${host}:${port}/`)).rejects.toMatchObject({
        code: "oauth_url_refused",
      });
    }
  });

  test("follows nothing by itself, and says so only where it leads elsewhere", async () => {
    const port = await listenLocally((request, response) => {
      const target = request.url === "/near" ? "/far" : "https://elsewhere.example/";
      response.writeHead(302, { location: target }).end();
    });
    const origin = `http://127.0.0.1:${port}`;
    const fetch = createGuardedFetch(serverAt(origin));
    expect((await fetch(`${origin}/near`)).status).toBe(302);
    await expect(fetch(`${origin}/far`)).rejects.toMatchObject({ code: "oauth_url_refused" });
  });
});
