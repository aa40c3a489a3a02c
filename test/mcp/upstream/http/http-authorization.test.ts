import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { HttpAuthorizer } from "../../../../src/mcp/upstream/http/http-authorizer.ts";
import type { Received } from "./fake-upstream.ts";
import {
  connect,
  greetModern,
  rpcResult,
  sendJson,
  startFake,
  textResult,
} from "./fake-upstream.ts";

const secret = "canary-7f3a";

const done = ({ id, response }: Received): void =>
  sendJson(response, rpcResult(id, textResult("done")));

describe("authorization of an upstream over HTTP", () => {
  interface Asked {
    readonly status: number;
    readonly wwwAuthenticate: string | undefined;
  }

  function authorizer(tokens: string[], verdict: "retry" | "give_up" = "retry") {
    const asked: Asked[] = [];
    const made: HttpAuthorizer = {
      headers: () => Promise.resolve({ Authorization: `Bearer ${tokens[0] ?? "none"}` }),
      onUnauthorized: (challenge) => {
        asked.push(challenge);
        tokens.shift();
        return Promise.resolve(verdict);
      },
    };
    return { asked, made };
  }

  const guard =
    (token: string) =>
    (request: Received): void => {
      if (request.headers.authorization === `Bearer ${token}`) {
        if (!greetModern(request)) done(request);
        return;
      }
      const challenge = `Bearer resource_metadata="https://x/.well-known", scope="a"`;
      request.response.writeHead(401, { "www-authenticate": challenge }).end(secret);
    };

  test("is asked for once and then used; the request that was refused is sent again", async () => {
    const { asked, made } = authorizer(["old", "new"]);
    const fake = await startFake(guard("new"));
    const { call } = await connect({ url: fake.url, protocol: "modern", authorizer: made });
    expect((await call("x")).kind).toBe("result");
    expect(asked).toEqual([
      {
        status: 401,
        wwwAuthenticate: 'Bearer resource_metadata="https://x/.well-known", scope="a"',
      },
    ]);
  });

  test("that is refused again fails the call, which is sent no third time", async () => {
    const { asked, made } = authorizer(["good", "bad", "worse"]);
    const fake = await startFake(guard("good"));
    const { call, log } = await connect({ url: fake.url, protocol: "modern", authorizer: made });
    await made.onUnauthorized({ status: 401, wwwAuthenticate: undefined });
    const reply = await call("x");
    expect(reply).toMatchObject({ kind: "failed", code: "upstream_unauthorized" });
    expect(asked).toHaveLength(2);
    expect(fake.received.filter(({ rpc }) => rpc === "tools/call")).toHaveLength(2);
    expect(JSON.stringify([reply, log.lines])).not.toContain(secret);
  });

  test("that comes when the server has gone leaves open whether the request ran", async () => {
    const fake = await startFake((request) => {
      if (!greetModern(request)) request.response.writeHead(401, { connection: "close" }).end();
    });
    const made: HttpAuthorizer = {
      headers: () => Promise.resolve({}),
      onUnauthorized: async () => {
        await fake.close();
        // Until the client has seen that its socket is closed; a new one is refused.
        await delay(100);
        return "retry";
      },
    };
    const { call } = await connect({ url: fake.url, protocol: "modern", authorizer: made });
    expect(await call("x")).toMatchObject({ kind: "failed", code: "upstream_lost" });
    expect(fake.received.filter(({ rpc }) => rpc === "tools/call")).toHaveLength(1);
  });

  test("that cannot be had at the start is an error that names the server and the command", async () => {
    const { made } = authorizer([], "give_up");
    const fake = await startFake(guard("good"));
    await expect(connect({ url: fake.url, authorizer: made })).rejects.toMatchObject({
      code: "upstream_unauthorized",
      message: expect.stringMatching(/server login fake/),
    });
  });

  test("that breaks says nothing of why, and nothing is sent", async () => {
    const fake = await startFake(guard("good"));
    const made: HttpAuthorizer = {
      headers: () => Promise.reject(new Error(secret)),
      onUnauthorized: () => Promise.resolve("give_up"),
    };
    const connecting = connect({ url: fake.url, authorizer: made });
    await expect(connecting).rejects.toMatchObject({ code: "upstream_unauthorized" });
    await expect(connecting).rejects.not.toThrow(secret);
    expect(fake.received).toEqual([]);
  });

  test("from the configuration goes with every request", async () => {
    const fake = await startFake(guard(secret));
    const headers = { Authorization: `Bearer ${secret}` };
    const { call } = await connect({ url: fake.url, protocol: "modern", headers });
    await call("x");
    expect(fake.received.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${secret}`,
      `Bearer ${secret}`,
    ]);
  });

  test("of the authorizer wins over the configuration, whatever the case of its name", async () => {
    const { made } = authorizer(["good"]);
    const fake = await startFake(guard("good"));
    const { call } = await connect({
      url: fake.url,
      protocol: "modern",
      headers: { AUTHORIZATION: "Bearer stale", "Mcp-Method": "forged" },
      authorizer: made,
    });
    expect((await call("x")).kind).toBe("result");
    expect(fake.received.at(-1)?.headers["mcp-method"]).toBe("tools/call");
  });
});
