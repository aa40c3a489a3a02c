/**
 * Tokens of authorization servers, on both sides of a gateway: what a login brings is in the one file
 * that keeps it, and what clients show is nowhere, whatever goes wrong with either.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startIssuer } from "../mcp/downstream/authorization/support.ts";
import { basic, startOauthWorld } from "../mcp/upstream/oauth/oauth-world.ts";
import { storedFiles } from "../mcp/upstream/oauth/setting.ts";
import { eventually } from "../support/eventually.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { bin, freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";
import type { Left } from "./planted-secrets.ts";
import { filesBelow, findSecrets } from "./planted-secrets.ts";

const timeoutMs = 180_000;

/** A bin that runs until it is ended. */
function start(args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [bin, ...args], { env });
  const ended = once(child, "close");
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (said += chunk.toString("latin1")));
  }
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { said: () => said, ended, end: () => child.kill("SIGTERM") };
}

/** Everything that gateways of this environment left, but for the file that keeps logins. */
function leftBy(env: Record<string, string>): readonly Left[] {
  const logins = join(String(env["MCP_GATEWAY_STATE"]), "oauth");
  return [
    ...filesBelow(String(env["MCP_GATEWAY_STATE"])),
    ...filesBelow(String(env["HOME"])),
  ].filter(({ where }) => !where.startsWith(logins));
}

test("a login at an upstream's authorization server", { timeout: timeoutMs }, async () => {
  const world = await startOauthWorld();
  const secret = "horse-of-the-client-secret";
  const env = freshEnvironment({ MCP_GATEWAY_LOG: "debug", CLIENT_SECRET: secret });
  const machine = {
    grant: "client_credentials",
    client_id: "gateway",
    client_secret: "${env:CLIENT_SECRET}",
  };
  const config = writeFixtureConfig({
    person: { settings: { command: undefined, args: undefined, env: undefined, url: world.url } },
    machine: {
      settings: {
        command: undefined,
        args: undefined,
        env: undefined,
        url: world.url,
        oauth: machine,
      },
    },
  });
  const login = start(["server", "login", "person", "--no-browser", "--config", config], env);
  await eventually(() => /open this URL to log in: (\S+)/.test(login.said()), 60_000);
  const [, url = ""] = /open this URL to log in: (\S+)/.exec(login.said()) ?? [];
  await (await fetch(url)).text();
  await login.ended;
  const kept = storedFiles(String(env["MCP_GATEWAY_STATE"]));
  const refresh = /refresh-[0-9a-f-]{36}/.exec(kept.map(({ text }) => text).join())?.[0] ?? "";
  expect(refresh).not.toBe("");
  const serving = async (): Promise<string> => {
    const client = await startRawClient(serveCommand(config, env));
    await client.request("tools/list");
    await client.call("person__any", {});
    await client.call("machine__any", {});
    await client.end();
    return client.stderr();
  };
  const first = await serving();
  world.expireAccessTokens();
  const description = `no: ${refresh} ${secret}`;
  const body = JSON.stringify({ error: "invalid_grant", error_description: description });
  const headers = { "content-type": "application/json" };
  world.bends.answers.set("/token", { status: 400, body, headers });
  const second = await serving();
  const status = await runBin(["status", "--config", config], env);
  const forms = world.requestsTo("/token");
  const codes = forms.map(({ form }) => form.get("code") ?? "").filter((code) => code !== "");
  const verifiers = forms.map(({ form }) => form.get("code_verifier") ?? "").filter(Boolean);
  const tokens = world.seen.map((one) => one.headers.authorization?.replace("Bearer ", "") ?? "");
  const shown = tokens.filter((token) => token.startsWith("access-"));
  // They were really used.
  expect([codes.length, verifiers.length]).toEqual([1, 1]);
  expect(shown.length).toBeGreaterThan(0);
  expect(forms.map((one) => basic(one.headers)[1])).toContain(secret);
  const planted = new Map([
    ["client secret", secret],
    ["refresh token", refresh],
    ...[...codes, ...verifiers, ...shown].map((one) => [one.slice(0, 12), one] as const),
  ]);
  const left = [
    ...leftBy(env),
    ...[login.said(), first, second, status.stdout + status.stderr].map((text, index) => ({
      where: `what command ${index} said`,
      text,
    })),
  ];
  expect(findSecrets(planted, left)).toEqual([]);
});

test("tokens that clients show", { timeout: timeoutMs }, async () => {
  const issuer = await startIssuer();
  const resource = "https://gateway.example/mcp";
  const env = freshEnvironment({ MCP_GATEWAY_LOG: "debug" });
  const config = writeFixtureConfig(
    { ok: {} },
    {
      http: {
        public_url: resource,
        authorization: { issuers: [{ issuer: issuer.origin, jwks_uri: `${issuer.origin}/jwks` }] },
      },
    },
  );
  const gateway = start(["serve", "--http", "127.0.0.1:0", "--config", config], env);
  await eventually(() => /^listening on \S+$/m.test(gateway.said()), 60_000);
  const [, origin = ""] = /^listening on (\S+)$/m.exec(gateway.said()) ?? [];
  const nowSeconds = Math.floor(Date.now() / 1000);
  const good = await issuer.tokenOf({
    aud: resource,
    exp: nowSeconds + 600,
    nbf: 1,
    iat: 1,
    client_id: "bot",
  });
  const old = await issuer.tokenOf({ aud: resource, exp: 2, nbf: 1, iat: 1, client_id: "bot" });
  const ask = async (authorization: string, path = "/mcp"): Promise<number> => {
    const answer = await fetch(`${origin}${path}`, {
      method: "POST",
      headers: {
        authorization,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} }),
    });
    await answer.text();
    return answer.status;
  };
  const statuses = [
    await ask(`Bearer ${good}`),
    await ask(`Bearer ${old}`),
    await ask(`Bearer ${good}x`),
    await ask(`Basic ${Buffer.from(`bot:${good}`).toString("base64")}`),
    await ask("", `/mcp?access_token=${good}`),
  ];
  expect(statuses[0]).not.toBe(401);
  expect(new Set(statuses.slice(1))).toEqual(new Set([401]));
  gateway.end();
  await gateway.ended;
  const signatures = [good, old].map((token) => token.split(".")[2] ?? "");
  const planted = new Map(
    [good, old, ...signatures].map((one, index) => [`token ${index}`, one] as const),
  );
  const left = [...leftBy(env), { where: "the log", text: gateway.said() }];
  expect(left.length).toBeGreaterThan(3);
  expect(findSecrets(planted, left)).toEqual([]);
});
