import { describe, expect, test } from "vitest";
import { pushBundle } from "../../src/bundle/push-bundle.ts";
import { parseReference } from "../../src/bundle/reference.ts";
import { createAuthMemory } from "../../src/bundle/sources/auth-memory.ts";
import type { Credentials } from "../../src/bundle/sources/credentials.ts";
import { failureMessage, loadCrm, outcomeOf, registryOptions } from "../support/bundle-setting.ts";
import { reply } from "../support/fake-registry.ts";
import { linesOf, startTokenSetting } from "../support/token-service.ts";
import type { TokenSetting } from "../support/token-service.ts";
import { tinyFiles } from "../support/tiny-bundle.ts";

const alice: Credentials = { username: "alice", password: "hunter2" };

function options({ service }: TokenSetting, credentials: Credentials | undefined = alice) {
  return registryOptions({
    credentials: () => credentials,
    settings: () => ({ trustedRealms: [service.host] }),
  });
}

describe("a registry that wants a token", () => {
  test("gets one for its own repository and no wider scope than it needs", async () => {
    const setting = await startTokenSetting();
    const { home, service } = setting;
    const result = await loadCrm(home.reference, { registry: options(setting) });
    expect(result.ok).toBe(true);
    expect(linesOf(service)).toEqual([
      "GET /token?service=fake&scope=repository%3Apolicies%2Fcrm%3Apull",
    ]);
    expect(home.requests.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      "Bearer token-1",
      "Bearer token-1",
      "Bearer token-1",
    ]);
  });

  test("never sees the password", async () => {
    const setting = await startTokenSetting();
    await loadCrm(setting.home.reference, { registry: options(setting) });
    const password = Buffer.from("alice:hunter2").toString("base64");
    expect(JSON.stringify(setting.home.requests)).not.toContain(password);
    expect(JSON.stringify(setting.service.requests)).toContain(password);
  });

  test("gives one for pushing when something is pushed", async () => {
    const setting = await startTokenSetting();
    const reference = parseReference(`oci://${setting.home.host}/policies/new:v1`);
    await pushBundle(tinyFiles(), reference, { registry: options(setting) });
    expect(new Set(setting.tokens.values())).toEqual(
      new Set(["repository:policies/new:pull", "repository:policies/new:pull,push"]),
    );
  });

  test("is asked once for a scope, by all conversations together", async () => {
    const setting = await startTokenSetting();
    const clock = registryOptions().clock;
    const registry = { ...options(setting), memory: createAuthMemory(clock) };
    for (let round = 0; round < 3; round += 1) {
      expect(await outcomeOf(loadCrm(setting.home.reference, { registry }))).toBe("ok");
    }
    expect(setting.service.requests).toHaveLength(1);
    expect(setting.home.requests.filter(({ headers }) => !headers.authorization)).toHaveLength(1);
  });

  test("is asked for a new one ten seconds before the old one expires", async () => {
    const setting = await startTokenSetting(60);
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
    const registry = { ...options(setting), clock, memory: createAuthMemory(clock) };
    const load = () => outcomeOf(loadCrm(setting.home.reference, { registry }));
    await load();
    nowMs = 49_999;
    expect(await load()).toBe("ok");
    expect(setting.service.requests).toHaveLength(1);
    nowMs = 50_000;
    expect(await load()).toBe("ok");
    expect(setting.service.requests).toHaveLength(2);
  });

  test("that took a token back gets a new one", async () => {
    const setting = await startTokenSetting();
    const clock = registryOptions().clock;
    const registry = { ...options(setting), memory: createAuthMemory(clock) };
    await loadCrm(setting.home.reference, { registry });
    setting.tokens.clear();
    expect(await outcomeOf(loadCrm(setting.home.reference, { registry }))).toBe("ok");
  });

  test("that goes over to passwords gets no token of before any more", async () => {
    const setting = await startTokenSetting();
    const clock = registryOptions().clock;
    const registry = { ...options(setting), memory: createAuthMemory(clock) };
    const load = () => outcomeOf(loadCrm(setting.home.reference, { registry }));
    expect(await load()).toBe("ok");
    const basic = `Basic ${Buffer.from("alice:hunter2").toString("base64")}`;
    setting.home.misbehave(({ headers }, response) =>
      headers.authorization === basic
        ? false
        : reply(response, 401, { "www-authenticate": 'Basic realm="r"' }),
    );
    expect(await load()).toBe("ok");
    const before = setting.home.requests.length;
    expect(await load()).toBe("ok");
    const sent = setting.home.requests.slice(before).map(({ headers }) => headers.authorization);
    expect(new Set(sent)).toEqual(new Set([basic]));
  });

  test("takes a rotated password as soon as somebody knows it", async () => {
    const setting = await startTokenSetting();
    const clock = registryOptions().clock;
    let password = "hunter2";
    const registry = {
      ...options(setting),
      credentials: () => ({ username: "alice", password }),
      memory: createAuthMemory(clock),
    };
    const load = () => outcomeOf(loadCrm(setting.home.reference, { registry }));
    expect(await load()).toBe("ok");
    setting.users.set("alice", "rotated");
    setting.tokens.clear();
    expect(await load()).toBe("bundle_unauthorized");
    password = "rotated";
    expect(await load()).toBe("ok");
  });

  test("takes an identity token, which goes to the service in a body and nowhere else", async () => {
    const setting = await startTokenSetting();
    const registry = options(setting, { identityToken: "refresh" });
    expect(await outcomeOf(loadCrm(setting.home.reference, { registry }))).toBe("ok");
    const [asked] = setting.service.requests;
    expect(asked).toMatchObject({ method: "POST", path: "/token" });
    expect(Object.fromEntries(new URLSearchParams(asked?.body.toString()))).toEqual({
      grant_type: "refresh_token",
      refresh_token: "refresh",
      client_id: "mcp-gateway",
      service: "fake",
      scope: "repository:policies/crm:pull",
    });
    expect(JSON.stringify(setting.home.requests)).not.toContain("refresh_token");
  });

  test("takes a bearer token of the config as it is, and nobody else is asked", async () => {
    const setting = await startTokenSetting();
    setting.tokens.set("given", "pull");
    const registry = options(setting, { token: "given" });
    expect(await outcomeOf(loadCrm(setting.home.reference, { registry }))).toBe("ok");
    expect(setting.service.requests).toEqual([]);
  });

  test("refuses nobody and the wrong password with what to do, and repeats neither", async () => {
    const setting = await startTokenSetting();
    const nobody = { registry: { ...options(setting), credentials: () => undefined } };
    expect(await outcomeOf(loadCrm(setting.home.reference, nobody))).toBe("bundle_unauthorized");
    expect(await failureMessage(loadCrm(setting.home.reference, nobody))).toContain(
      "mcp-gateway login",
    );
    const wrong = { registry: options(setting, { username: "alice", password: "hunter3" }) };
    const message = await failureMessage(loadCrm(setting.home.reference, wrong));
    expect(message).toContain("credentials are wrong");
    expect(message).not.toMatch(/hunter|alice/);
  });

  test("that refuses its own token is asked twice and no more", async () => {
    const setting = await startTokenSetting();
    setting.tokens.set = () => setting.tokens;
    const load = loadCrm(setting.home.reference, { registry: options(setting) });
    expect(await outcomeOf(load)).toBe("bundle_unauthorized");
    expect(setting.home.requests).toHaveLength(2);
  });
});
