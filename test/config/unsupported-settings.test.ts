import { describe, expect, test } from "vitest";
import { minimal, problemsOf, server } from "./support.ts";

const layer = { name: "identity", kind: "identity", policy: "oci-layout:dist:identity" };

function withServer(entry: object): object {
  return { ...minimal, servers: { crm: { ...server, ...entry } } };
}

describe("members that this version does not honour", () => {
  test.each<[string, object]>([
    ["type sse", { type: "sse", command: undefined, url: "https://x", headers: { a: "b" } }],
    ["type ws", { type: "ws", command: undefined, url: "wss://x" }],
    ["transport sse", { transport: "sse" }],
  ])("an upstream with %s is refused once", (_, entry) => {
    expect(problemsOf(withServer(entry))).toEqual([
      'servers.crm: expected a server on stdio or Streamable HTTP ("http"); other transports are not supported',
    ]);
  });

  test.each([
    ["envFile", ".env", "envFile is not read; put its variables into env"],
    ["disabledTools", ["x"], "disabledTools would have no effect"],
    ["enabledTools", ["x"], "name the tools in ceiling"],
    ["allowedTools", ["x"], "name the tools in ceiling"],
    ["enabled", false, "use disabled"],
    ["mode", "observe", "only layers can be observed"],
    ["headersHelper", "x", "put the value into headers"],
    ["auth", {}, "use oauth"],
  ])("a server's %s is refused by name", (key, value, reason) => {
    const problems = problemsOf(withServer({ [key]: value }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(reason);
  });

  test.each(["shadow", "canary"])("a layer's %s is refused by name", (key) => {
    const problems = problemsOf({ ...minimal, layers: [{ ...layer, [key]: "x" }] });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`layers.0: ${key} is not supported by this version`);
  });

  test("policy.isolation and trusted_runtimes are refused by name", () => {
    const problems = problemsOf({
      ...minimal,
      policy: { isolation: "inline" },
      trusted_runtimes: [],
    });
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain("policies always run in worker threads");
    expect(problems[1]).toContain("trusted_runtimes is not supported");
  });
});
