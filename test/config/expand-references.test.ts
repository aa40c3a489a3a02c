import { describe, expect, test } from "vitest";
import { load, minimal, problemsOf, refusal, server } from "./support.ts";

const layer = { name: "identity", kind: "identity", policy: "oci-layout:dist:identity" };

function withServer(entry: object): object {
  return { ...minimal, servers: { crm: { ...server, ...entry } } };
}

describe("${env:…}", () => {
  test("is expanded in args, env, headers, client secrets, registries, the store and its key", () => {
    const { config } = load(
      {
        ...minimal,
        servers: {
          crm: { ...server, args: ["--key=${env:A}-${env:B}"], env: { TOKEN: "${env:A}" } },
          web: {
            url: "https://x/mcp",
            headers: { Authorization: "Bearer ${env:A}" },
            oauth: { client_id: "c", client_secret: "${env:A}" },
          },
        },
        state_key: "${env:KEY}",
        decisions: { store: "${env:URL}" },
        registries: { "r.example": { username: "${env:A}", password: "${env:B}" } },
      },
      { A: "one", B: "${env:A}", URL: "postgresql://db/x", KEY: "k".repeat(32) },
    );
    expect(config.servers.get("crm")?.transport).toMatchObject({
      args: ["--key=one-${env:A}"],
      env: { TOKEN: "one" },
    });
    expect(config.servers.get("web")?.transport).toMatchObject({
      headers: { Authorization: "Bearer one" },
      oauth: { clientSecret: "one" },
    });
    expect(config.stateKey).toBe("k".repeat(32));
    expect(config.decisions.store).toEqual({ kind: "postgres", url: "postgresql://db/x" });
    expect(config.registries.get("r.example")).toMatchObject({
      username: "one",
      password: "${env:A}",
    });
  });

  test("an unset variable is refused at its place, once", () => {
    const error = refusal(() => load({ ...minimal, decisions: { store: "${env:NOPE}" } }));
    expect(error.problems).toMatchObject([
      {
        pointer: "/decisions/store",
        message:
          "decisions.store: environment variable NOPE is not set; set it where the gateway is started",
      },
    ]);
  });

  test("a name of Object.prototype is not a variable", () => {
    expect(problemsOf(withServer({ args: ["${env:constructor}"] }))[0]).toContain("is not set");
  });

  test("a name that is none is refused without repeating it", () => {
    const [problem] = problemsOf(withServer({ env: { A: "${env:sk live}" } }));
    expect(problem).toContain("expected ${env:NAME}");
    expect(problem).not.toContain("sk live");
  });

  test.each<[string, object]>([
    ["tenant", { tenant: "${env:X}" }],
    ["servers.web.url", { servers: { web: { url: "https://x/?key=${env:X}" } } }],
    [
      "servers.web.oauth.issuer",
      { servers: { web: { url: "https://x", oauth: { issuer: "${env:X}" } } } },
    ],
    [
      "servers.web.oauth.scopes.0",
      { servers: { web: { url: "https://x", oauth: { scopes: ["${env:X}"] } } } },
    ],
    ["http.public_url", { http: { public_url: "https://${env:X}/mcp" } }],
    [
      "http.authorization.tokens.0.sha256",
      {
        http: {
          authorization: {
            tokens: [{ sha256: "${env:X}", agent: { id: "a" }, user: { id: "u" } }],
          },
        },
      },
    ],
  ])("in %s it is refused instead of taken literally", (place, part) => {
    const problems = problemsOf({ ...minimal, ...part }, { X: "x" });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${place}: \${env:…} and \${file:…} are expanded only in`);
  });

  test("a layer's reference cannot hold one", () => {
    const policy = "oci://${env:HOST}/x:1";
    expect(problemsOf({ ...minimal, layers: [{ ...layer, policy }] }, { HOST: "h" })).toHaveLength(
      1,
    );
  });
});
