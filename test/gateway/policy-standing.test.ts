import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { policyStanding } from "../../src/gateway/policies/policy-standing.ts";
import { writeConfig } from "../config/support.ts";

const server = { command: "node", policy: "oci-layout:dist:any" };
const identity = { name: "identity", kind: "identity", policy: "oci-layout:dist:identity" };

function standing(parts: object, there: readonly string[]) {
  const actors = { agent: { id: "a" }, user: { id: "u" } };
  const { config } = loadConfig({ path: writeConfig({ ...actors, ...parts }), env: {} });
  const names = [...config.servers.keys(), ...config.layers.map(({ name }) => name)];
  return policyStanding(
    config,
    names.map((name) => ({ name, bundle: there.includes(name) ? {} : undefined })),
  );
}

describe("a gateway", () => {
  const servers = { crm: server, mail: server };
  test.each<[string, object, readonly string[], string]>([
    ["whose policies are all there is ready", { servers }, ["crm", "mail"], "ready"],
    ["that lacks one server's is degraded", { servers }, ["mail"], "degraded"],
    ["that lacks every server's is unable", { servers }, [], "unable"],
    [
      "whose other server has none by choice is ready",
      { servers: { crm: server, bare: { command: "node" } } },
      ["crm"],
      "ready",
    ],
    [
      "whose other server is disabled is ready",
      { servers: { crm: server, mail: { ...server, disabled: true } } },
      ["crm"],
      "ready",
    ],
    ["with nothing that needs a policy is ready", { servers: {} }, [], "ready"],
    [
      "that lacks a layer of the organisation is unable, since that denies everything",
      { servers, layers: [identity] },
      ["crm", "mail"],
      "unable",
    ],
    [
      "that lacks a layer for some agents is degraded",
      { servers, layers: [{ ...identity, when: { agents: ["bot"] } }] },
      ["crm", "mail"],
      "degraded",
    ],
    [
      "with all layers is ready",
      { servers, layers: [identity] },
      ["crm", "mail", "identity"],
      "ready",
    ],
  ])("%s", (_, parts, there, expected) => {
    expect(standing(parts, there)).toBe(expected);
  });
});
