/**
 * What a configuration may say of bundles that are tried beside a policy, and the places that come of
 * it.
 */
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { basePlaces, policyPlaces, servedPolicies } from "../../src/config/policy-places.ts";
import { load, minimal, refusal, server } from "./support.ts";

const shadow = "oci-layout:next:crm";
const canary = { policy: "oci-layout:next:crm", percent: 10 };

function withServer(entry: object): object {
  return { ...minimal, servers: { crm: { ...server, ...entry } } };
}

function withLayer(entry: object): object {
  const layer = { name: "compliance", kind: "compliance", policy: "oci-layout:dist:compliance" };
  return { ...minimal, layers: [{ ...layer, ...entry }] };
}

function problemsOf(config: object): readonly string[] {
  return refusal(() => load(config)).problems.map(({ message }) => message);
}

describe("the places of policies", () => {
  const both = { ...withServer({ shadow }), ...withLayer({ canary, shadow }) };
  const { config, path } = ((loaded) => ({ config: loaded.config, path: loaded.config.path }))(
    load({ ...both, servers: { crm: { ...server, shadow } } }),
  );

  test("are those of servers and layers, with companions behind each", () => {
    expect(
      policyPlaces(config).map(({ name, base, role, kind }) => [name, base, role, kind]),
    ).toEqual([
      ["crm", "crm", "policy", "server"],
      ["crm~shadow", "crm", "shadow", "server"],
      ["compliance", "compliance", "policy", "compliance"],
      ["compliance~canary", "compliance", "canary", "compliance"],
      ["compliance~shadow", "compliance", "shadow", "compliance"],
    ]);
    expect(basePlaces(config).map(({ name }) => name)).toEqual(["crm", "compliance"]);
  });

  test("name the key that they stand at, and have a source like any other", () => {
    const found = new Map(servedPolicies(config).map((place) => [place.name, place]));
    expect(found.get("compliance~canary")?.path).toEqual(["layers", 0, "canary", "policy"]);
    expect(found.get("crm~shadow")).toMatchObject({
      path: ["servers", "crm", "shadow"],
      policy: {
        reference: `oci-layout:${resolve(path, "..", "next")}:crm`,
        trust: { require: "none" },
        cadence: { pollMs: 5000, activation: "auto" },
      },
    });
  });
});

describe("a companion", () => {
  test.each([
    ["shadow", shadow],
    ["canary", canary],
  ])("%s needs a policy beside it", (key, value) => {
    expect(problemsOf(withServer({ policy: undefined, [key]: value }))).toEqual([
      `servers.crm.${key}: expected a policy beside it, found none`,
    ]);
  });

  test.each([
    ["shadow", shadow],
    ["canary", canary],
  ])("%s needs a server that is served", (key, value) => {
    expect(problemsOf(withServer({ disabled: true, [key]: value }))).toEqual([
      `servers.crm.${key}: expected a server that is served, found it disabled`,
    ]);
  });

  test.each([
    ["shadow", { bundle: shadow, signers: ["nobody"] }],
    ["canary.policy", { ...canary, policy: { bundle: shadow, signers: ["nobody"] } }],
  ])("%s is vouched for by those whom trust names", (key, value) => {
    const [name = ""] = key.split(".");
    expect(problemsOf(withLayer({ [name]: value }))[0]).toContain(
      `layers.0.${key}.signers.0: expected a name in trust, found "nobody"`,
    );
  });

  test("has a reference of a known kind", () => {
    expect(problemsOf(withLayer({ shadow: "ftp://next" }))[0]).toContain(
      "layers.0.shadow: expected oci://",
    );
  });

  test("may be opaque in a trial only, which its records show", () => {
    const opaque = withLayer({ shadow: { bundle: shadow, opaque: "accept" } });
    expect(problemsOf(opaque)[0]).toContain('layers.0.shadow.opaque: profile "strict" refuses');
    const { config } = load({ ...opaque, profile: "trial" });
    expect(config.posture).toBe("trial:layers.compliance.shadow.opaque=accept");
  });

  test("has no key that is not known", () => {
    expect(problemsOf(withLayer({ canary: { ...canary, share: 3 } }))[0]).toContain(
      'unknown key "share" in layers.0.canary',
    );
  });
});

describe("a canary", () => {
  test("has limits that were not said", () => {
    const { config } = load(withLayer({ canary }));
    expect(config.layers[0]?.canary).toMatchObject({
      percent: 10,
      abort: {
        deniedPrincipalsPercent: 20,
        errorPercent: 1,
        latencyMs: 50,
        minPrincipals: 5,
        minEvaluations: 100,
        windowMs: 900_000,
      },
    });
  });

  test.each([
    ["percent", { ...canary, percent: 0 }],
    ["percent", { ...canary, percent: 101 }],
    ["abort.min_principals", { ...canary, abort: { min_principals: 1 } }],
    ["abort.min_evaluations", { ...canary, abort: { min_evaluations: 5 } }],
    ["abort.window", { ...canary, abort: { window: "30s" } }],
    ["abort.window", { ...canary, abort: { window: "25h" } }],
  ])("with another %s is refused", (key, value) => {
    expect(problemsOf(withLayer({ canary: value }))[0]).toContain(
      `layers.0.canary.${key}: expected`,
    );
  });
});
