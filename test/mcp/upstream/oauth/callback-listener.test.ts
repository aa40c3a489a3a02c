import { request } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { listenForCallback } from "../../../../src/mcp/upstream/oauth/callback-listener.ts";
import type { CallbackOptions } from "../../../../src/mcp/upstream/oauth/callback-listener.ts";
import { freePort } from "../../../support/free-port.ts";
import { serverAt } from "./setting.ts";

const state = "the-right-state";

async function listen(options: Partial<CallbackOptions> = {}) {
  const listener = await listenForCallback({
    server: serverAt("https://mcp.example/mcp"),
    state,
    preferredPort: undefined,
    timeoutMs: 2_000,
    ...options,
  });
  onTestFinished(() => listener.close());
  return listener;
}

/** Status of a request with exactly these parts. */
async function statusOf(url: string, headers: Record<string, string> = {}, method = "GET") {
  return await new Promise<number>((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on("error", reject).end();
  });
}

describe("the listener for the browser", () => {
  test("takes the answer with the right state", async () => {
    const listener = await listen();
    const answer = listener.waitForAnswer();
    expect(await statusOf(`${listener.redirectUri}?state=${state}&code=abc&iss=x`)).toBe(200);
    expect(await answer).toEqual({ code: "abc", error: undefined, iss: "x" });
  });

  test("goes on waiting after an answer with another state", async () => {
    const listener = await listen();
    const answer = listener.waitForAnswer();
    expect(await statusOf(`${listener.redirectUri}?state=guessed&code=evil`)).toBe(400);
    expect(await statusOf(`${listener.redirectUri}?code=evil`)).toBe(400);
    await statusOf(`${listener.redirectUri}?state=${state}&code=good`);
    expect((await answer).code).toBe("good");
  });

  test.each([
    ["a parameter twice", `?state=${state}&code=a&code=b`, {}, "GET"],
    ["the state twice", `?state=${state}&state=${state}&code=a`, {}, "GET"],
    [
      "another host, as after DNS rebinding",
      `?state=${state}&code=a`,
      { host: "evil.example" },
      "GET",
    ],
    ["another method", `?state=${state}&code=a`, {}, "POST"],
    ["another path", `/more?state=${state}&code=a`, {}, "GET"],
  ])("refuses %s", async (_, rest, headers, method) => {
    const { redirectUri } = await listen();
    expect(await statusOf(`${redirectUri}${rest}`, headers, method)).toBe(400);
  });

  test("writes nothing of a request back and lets nothing run", async () => {
    const listener = await listen();
    const mark = "<script>mark</script>";
    const response = await fetch(`${listener.redirectUri}?state=${encodeURIComponent(mark)}`);
    expect(await response.text()).not.toContain("mark");
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  });

  test("listens on loopback alone", async () => {
    expect(new URL((await listen()).redirectUri).hostname).toBe("127.0.0.1");
  });

  test("gives up after its time", async () => {
    const listener = await listen({ timeoutMs: 50 });
    await expect(listener.waitForAnswer()).rejects.toMatchObject({
      code: "oauth_login_timeout",
      message: expect.stringContaining("mcp-gateway server login crm"),
    });
  });

  test("takes another port than a preferred one that is taken", async () => {
    const first = await listen();
    const preferredPort = Number(new URL(first.redirectUri).port);
    expect((await listen({ preferredPort })).redirectUri).not.toBe(first.redirectUri);
  });

  test("takes no other port than the operator's", async () => {
    const callbackPort = await freePort();
    const server = serverAt("https://mcp.example/mcp", { callbackPort });
    const first = await listen({ server });
    expect(first.redirectUri).toBe(`http://127.0.0.1:${callbackPort}/callback`);
    await expect(listen({ server })).rejects.toMatchObject({
      code: "oauth_callback_unavailable",
      message: expect.stringContaining("servers.crm.oauth.callback_port"),
    });
  });
});
