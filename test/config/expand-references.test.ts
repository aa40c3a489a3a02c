import { describe, expect, test } from "vitest";
import { load, minimal, problemsOf, refusal, server } from "./support.ts";

const layer = { name: "identity", kind: "identity", policy: "oci-layout:dist:identity" };

function withServer(entry: object): object {
  return { ...minimal, servers: { crm: { ...server, ...entry } } };
}

describe("${env:…}", () => {
  test("is expanded in args, env, registries and the store", () => {
    const { config } = load(
      {
        ...withServer({ args: ["--key=${env:A}-${env:B}"], env: { TOKEN: "${env:A}" } }),
        decisions: { store: "${env:URL}" },
        registries: { "r.example": { username: "${env:A}", password: "${env:B}" } },
      },
      { A: "one", B: "${env:A}", URL: "postgresql://db/x" },
    );
    expect(config.servers.get("crm")).toMatchObject({
      args: ["--key=one-${env:A}"],
      env: { TOKEN: "one" },
    });
    expect(config.decisions.store).toEqual({ kind: "postgres", url: "postgresql://db/x" });
    expect(config.registries.get("r.example")).toEqual({ username: "one", password: "${env:A}" });
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

  test("elsewhere it is refused instead of taken literally", () => {
    const problems = problemsOf({ ...minimal, tenant: "${env:TENANT}" }, { TENANT: "x" });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("tenant: ${env:…} and ${file:…} are expanded only in");
  });

  test("a layer's reference cannot hold one", () => {
    const policy = "oci://${env:HOST}/x:1";
    expect(problemsOf({ ...minimal, layers: [{ ...layer, policy }] }, { HOST: "h" })).toHaveLength(
      1,
    );
  });
});
