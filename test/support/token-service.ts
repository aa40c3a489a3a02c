/**
 * A registry that wants tokens, and the service that makes them: users, refresh tokens, scopes, and
 * tokens that can be taken back. Both record every request.
 */
import { onTestFinished } from "vitest";
import { registryWithBundle } from "./bundle-setting.ts";
import { reply, startFakeRegistry } from "./fake-registry.ts";
import type { FakeRegistry, Mode } from "./fake-registry.ts";

export interface TokenSetting {
  readonly home: Awaited<ReturnType<typeof registryWithBundle>>;
  readonly service: FakeRegistry;
  /** Tokens that the registry takes now, with their scopes. */
  readonly tokens: Map<string, string>;
  /** The passwords that are good now. */
  readonly users: Map<string, string>;
  /** The challenge that the registry answers with. */
  readonly challenge: (realm?: string) => Readonly<Record<string, string>>;
}

/** Starts both; a token is for one scope, and nobody without a login gets one. */
export async function startTokenSetting(expiresIn = 300): Promise<TokenSetting> {
  const home = await registryWithBundle();
  const service = await startFakeRegistry();
  onTestFinished(service.close);
  const tokens = new Map<string, string>();
  const users = new Map([["alice", "hunter2"]]);
  const challenge = (realm = `${service.origin}/token`) => ({
    "www-authenticate": `Bearer realm="${realm}",service="fake",scope="repository:all:*"`,
  });

  home.misbehave(({ method, headers }, response) => {
    const scope = tokens.get((headers.authorization ?? "").replace("Bearer ", ""));
    const wanted = method === "GET" || method === "HEAD" ? "pull" : "push";
    return scope?.includes(wanted) === true ? false : reply(response, 401, challenge());
  });
  const giveToken: Mode = ({ method, path, headers, body }, response) => {
    const form = new URLSearchParams(method === "POST" ? body.toString() : path.split("?")[1]);
    const [user = "", password = ""] = Buffer.from(
      (headers.authorization ?? "").replace("Basic ", ""),
      "base64",
    )
      .toString()
      .split(":");
    const isKnown =
      method === "POST" ? form.get("refresh_token") === "refresh" : users.get(user) === password;
    if (!isKnown) return reply(response, 401, {}, "no");
    const token = `token-${tokens.size + 1}`;
    tokens.set(token, form.get("scope") ?? "");
    return reply(response, 200, {}, JSON.stringify({ token, expires_in: expiresIn }));
  };
  service.misbehave(giveToken);
  return { home, service, tokens, users, challenge };
}

/** `METHOD PATH` of each request. */
export function linesOf({ requests }: FakeRegistry): readonly string[] {
  return requests.map(({ method, path }) => `${method} ${path}`);
}
