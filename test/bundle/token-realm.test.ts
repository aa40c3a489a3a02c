import { describe, expect, test } from "vitest";
import { checkRealm } from "../../src/bundle/sources/token-realm.ts";
import {
  failureMessage,
  loadCrm,
  outcomeOf,
  registryOptions,
  thrownCode,
} from "../support/bundle-setting.ts";
import { reply } from "../support/fake-registry.ts";
import { startTokenSetting } from "../support/token-service.ts";

const credentials = () => ({ username: "alice", password: "hunter2" });
const rules = { trustedRealms: [], where: "oci://registry.example/a:v1" };
const registry = { ...rules, host: "registry.example", origin: "https://registry.example" };

describe("a token realm", () => {
  test("on a host that nobody named gets no request, and the message says how to name it", async () => {
    const { home, service } = await startTokenSetting();
    const options = { registry: registryOptions({ credentials }) };
    expect(await outcomeOf(loadCrm(home.reference, options))).toBe("bundle_realm_refused");
    expect(await failureMessage(loadCrm(home.reference, options))).toContain("trusted_realms");
    expect(service.requests).toEqual([]);
    expect(home.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test("that is not trusted is refused before a login is even looked up", async () => {
    const { home } = await startTokenSetting();
    let lookups = 0;
    const options = registryOptions({ credentials: () => void (lookups += 1) });
    await loadCrm(home.reference, { registry: options });
    expect(lookups).toBe(0);
  });

  test("that redirects is not followed", async () => {
    const { home, service } = await startTokenSetting();
    service.misbehave((_, response) =>
      reply(response, 302, { location: `${home.origin}/elsewhere` }),
    );
    const settings = () => ({ trustedRealms: [service.host] });
    const load = loadCrm(home.reference, { registry: registryOptions({ credentials, settings }) });
    expect(await outcomeOf(load)).toBe("bundle_protocol_invalid");
    expect(home.requests.map(({ path }) => path)).not.toContain("/elsewhere");
  });

  test.each([
    ["another host", "https://auth.evil.example/token"],
    ["a host that ends alike", "https://evilregistry.example/token"],
    ["a host that begins alike", "https://registry.example.evil/token"],
    ["another port", "https://registry.example:8443/token"],
    ["the metadata service", "http://169.254.169.254/latest/meta-data"],
    ["this machine", "http://127.0.0.1/token"],
    ["plain http on the same host", "http://registry.example/token"],
    ["a file", "file:///etc/passwd"],
    ["a name in front", "https://registry.example@evil.example/token"],
    ["credentials on the right host", "https://a:b@registry.example/token"],
    ["no URL", "token"],
  ])("that is %s is refused", (_, realm) => {
    expect(thrownCode(() => checkRealm(realm, registry))).toBe("bundle_realm_refused");
  });

  test.each([
    ["the registry itself", "https://registry.example/token", {}],
    ["a named host", "https://auth.example/t", { trustedRealms: ["Auth.example"] }],
    ["a named port", "https://auth.example:99/t", { trustedRealms: ["auth.example:99"] }],
    ["docker hub's", "https://auth.docker.io/token", { host: "docker.io" }],
    ["gitlab's", "https://gitlab.com/jwt/auth", { host: "registry.gitlab.com" }],
  ])("that is %s is taken", (_, realm, overrides) => {
    expect(checkRealm(realm, { ...registry, ...overrides }).href).toBe(realm);
  });

  test("of docker hub is no other registry's", () => {
    const realm = "https://auth.docker.io/token";
    expect(thrownCode(() => checkRealm(realm, registry))).toBe("bundle_realm_refused");
    expect(thrownCode(() => checkRealm(realm, { ...registry, host: "constructor" }))).toBe(
      "bundle_realm_refused",
    );
  });

  test("over http is taken from a registry over http alone", () => {
    const named = { trustedRealms: ["auth.example"] };
    const plain = { ...registry, ...named, origin: "http://registry.example" };
    expect(checkRealm("http://auth.example/t", plain).host).toBe("auth.example");
    expect(thrownCode(() => checkRealm("http://auth.example/t", { ...registry, ...named }))).toBe(
      "bundle_realm_refused",
    );
  });
});

describe("what a token service answers", () => {
  async function outcomeFor(status: number, body: string | Buffer, headers = {}): Promise<string> {
    const { home, service } = await startTokenSetting();
    service.misbehave((_, response) => reply(response, status, headers, body));
    const settings = () => ({ trustedRealms: [service.host] });
    return await outcomeOf(
      loadCrm(home.reference, { registry: registryOptions({ credentials, settings }) }),
    );
  }

  test.each([
    ["no JSON", "<html>"],
    ["no token", "{}"],
    ["an empty token", '{"token":""}'],
    ["a token with a line break", '{"token":"a\\r\\nx-evil: 1"}'],
    ["a token with a space", '{"token":"a b"}'],
    ["a token that is a number", '{"token":1}'],
    ["a list", "[]"],
  ])("with %s is refused", async (_, body) => {
    expect(await outcomeFor(200, body)).toBe("bundle_protocol_invalid");
  });

  test("beyond 128 KiB is not read", async () => {
    const body = JSON.stringify({ token: "a".repeat(200 * 1024) });
    expect(await outcomeFor(200, body)).toBe("bundle_too_large");
  });

  test("compressed is refused", async () => {
    expect(await outcomeFor(200, "x", { "content-encoding": "gzip" })).toBe(
      "bundle_protocol_invalid",
    );
  });

  test("with an error of its own is a registry that is away", async () => {
    expect(await outcomeFor(503, "")).toBe("bundle_unreachable");
  });
});
