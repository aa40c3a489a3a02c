import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { load, minimal, problemsOf, server } from "./support.ts";

const host = "registry.example:5000";
const withRegistry = (registry: object) => ({ ...minimal, registries: { [host]: registry } });

describe("a registry", () => {
  test("may have every setting; files are meant relative to the configuration", () => {
    const { config } = load(
      withRegistry({
        token: "${env:TOKEN}",
        plain_http: true,
        ca_file: "certs/ca.pem",
        cert_file: "/certs/client.pem",
        key_file: "key.pem",
        trusted_realms: ["auth.example"],
        redirect_hosts: ["storage.example:9000"],
        mirrors: [
          { host: "Mirror.example", prefix: "hub", resolve_tags: true, credentials: "own" },
        ],
      }),
      { TOKEN: "s3cret" },
    );
    const folder = dirname(config.path);
    expect(config.registries.get(host)).toEqual({
      username: undefined,
      password: undefined,
      token: "s3cret",
      credentialHelper: undefined,
      plainHttp: true,
      caFile: join(folder, "certs", "ca.pem"),
      certFile: "/certs/client.pem",
      keyFile: join(folder, "key.pem"),
      trustedRealms: ["auth.example"],
      redirectHosts: ["storage.example:9000"],
      mirrors: [{ host: "mirror.example", prefix: "hub", resolveTags: true, credentials: "own" }],
    });
  });

  test("that says nothing trusts nobody, and its mirrors neither", () => {
    const { config } = load(withRegistry({ mirrors: [{ host: "mirror.example" }] }));
    expect(config.registries.get(host)).toMatchObject({
      plainHttp: undefined,
      trustedRealms: [],
      redirectHosts: [],
      mirrors: [{ resolveTags: false, credentials: "none" }],
    });
  });

  test.each([
    ["a user without a password", { username: "u" }, "username and password together"],
    ["a password without a user", { password: "p" }, "username and password together"],
    ["a certificate without its key", { cert_file: "c" }, "cert_file and key_file together"],
    [
      "two ways to sign in",
      { username: "u", password: "p", token: "t" },
      "one way to sign in, found username and token",
    ],
    ["a realm that is a URL", { trusted_realms: ["https://a.example/token"] }, "without scheme"],
    ["a redirect host with a path", { redirect_hosts: ["a.example/x"] }, "without scheme"],
    ["a mirror that is a URL", { mirrors: [{ host: "oci://m.example" }] }, "without scheme"],
  ])("with %s is refused", (_, registry, reason) => {
    const problems = problemsOf(withRegistry(registry));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(reason);
  });
});

test.each([
  "https://bundles.example/crm.tar.gz",
  "git+https://git.example/acme/policies#main:servers/crm",
  "git+file:///srv/policies#main",
])("a policy may come from %s", (policy) => {
  const { config } = load({ ...minimal, servers: { crm: { ...server, policy } } });
  expect(config.servers.get("crm")?.policy?.reference).toBe(policy);
});
