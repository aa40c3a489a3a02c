import { describe, expect, test } from "vitest";
import { connectionKey, declaredCapabilities } from "../../../src/gateway/fleet/connection-key.ts";
import { alice, legacyClient, modernClient, principal } from "../open-gateway.ts";

const able = {
  sampling: { tools: {} },
  elicitation: {},
  roots: {},
  extensions: { "vendor/x": {} },
};

describe("the connection of a client", () => {
  test("is its principal's, whatever its session", () => {
    const keyOf = (client = legacyClient()) => connectionKey({ sharing: "principal" }, client);
    expect(keyOf(legacyClient({ session: "a" }))).toBe(keyOf(legacyClient({ session: "b" })));
    expect(keyOf(legacyClient())).toBe(keyOf(modernClient()));
    expect(keyOf(legacyClient())).not.toBe(keyOf(legacyClient({ principal: principal("bob") })));
  });

  test("is its session's where sessions have their own, and never another principal's", () => {
    const keyOf = (client = legacyClient()) => connectionKey({ sharing: "session" }, client);
    const keys = [
      keyOf(legacyClient({ session: "a" })),
      keyOf(legacyClient({ session: "b" })),
      keyOf(modernClient()),
      keyOf(legacyClient({ session: "a", principal: principal("bob") })),
      keyOf(modernClient({ principal: principal("bob") })),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("is no session's whose name is made to look like another key", () => {
    const forged = legacyClient({ session: `x:${alice.key}`, principal: principal("bob") });
    expect(connectionKey({ sharing: "session" }, forged)).not.toContain(`session:${alice.key}:`);
  });
});

describe("what a connection declares", () => {
  const server = { sharing: "session", toClient: [], roots: undefined } as const;
  const client = legacyClient({ capabilities: able });

  test("is what the session's client can do, without questions that the operator did not list", () => {
    expect(declaredCapabilities(server, client)).toEqual({ extensions: { "vendor/x": {} } });
    const asking = { ...server, toClient: ["sampling"] } as const;
    expect(declaredCapabilities(asking, client)).toEqual({
      sampling: { tools: {} },
      extensions: { "vendor/x": {} },
    });
  });

  test("for all clients of a principal is all that the operator listed, whatever one of them can do", () => {
    const shared = { ...server, sharing: "principal", toClient: ["elicitation", "roots"] } as const;
    for (const who of [client, modernClient(), legacyClient()]) {
      const declared = declaredCapabilities(shared, who);
      expect(Object.keys(declared).toSorted()).toEqual(["elicitation", "extensions", "roots"]);
      expect(declared["extensions"]).not.toHaveProperty("vendor/x");
    }
  });

  test("has configured roots where the operator lists roots, and only there", () => {
    const roots = [{ uri: "file:///w" }];
    const without = legacyClient({ capabilities: {} });
    const listed = { ...server, toClient: ["roots"], roots } as const;
    expect(declaredCapabilities(listed, without)).toEqual({ roots: {} });
    expect(declaredCapabilities({ ...server, roots }, without)).toEqual({});
  });
});
