import { describe, expect, test } from "vitest";
import { load, minimal, problemsOf, server } from "./support.ts";

const layer = { name: "identity", kind: "identity" };
const opaque = { bundle: "oci-layout:dist:crm", opaque: "accept" };
const both = {
  ...minimal,
  servers: { crm: { ...server, policy: opaque } },
  layers: [{ ...layer, policy: opaque }],
};

describe("a bundle without sources", () => {
  test("is refused where nothing is said", () => {
    const { config } = load({ ...minimal, servers: { crm: server } });
    expect(config.servers.get("crm")?.policy?.opaque).toBe("refuse");
  });

  test("cannot be accepted under strict", () => {
    const problems = problemsOf(both);
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain(
      'servers.crm.policy.opaque: profile "strict" refuses "accept"; use "refuse"',
    );
    expect(problems[1]).toContain("layers.0.policy.opaque");
  });

  test("is accepted under trial, and every record says which", () => {
    const { config } = load({ ...both, profile: "trial" });
    expect(config.servers.get("crm")?.policy?.opaque).toBe("accept");
    expect(config.layers[0]?.policy.opaque).toBe("accept");
    expect(config.posture).toBe(
      "trial:servers.crm.policy.opaque=accept,layers.identity.policy.opaque=accept",
    );
  });

  test("is accepted by that word alone", () => {
    const policy = { ...opaque, opaque: true };
    expect(problemsOf({ ...minimal, servers: { crm: { ...server, policy } } })).toHaveLength(1);
  });
});

describe("what no rule grants or refuses", () => {
  test("is denied where nothing is said", () => {
    const { config } = load({ ...minimal, servers: { crm: server } });
    expect(config.servers.get("crm")?.defaultEffect).toBe("deny");
  });

  test("is granted where the operator says so, under strict too", () => {
    const { config } = load({ ...minimal, servers: { crm: { ...server, default: "allow" } } });
    expect(config.servers.get("crm")?.defaultEffect).toBe("allow");
    expect(config.posture).toBe("strict");
  });

  test("is granted by that word alone", () => {
    const entry = { ...server, default: "permit" };
    expect(problemsOf({ ...minimal, servers: { crm: entry } })).toHaveLength(1);
  });
});
