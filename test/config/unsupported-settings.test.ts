import { describe, expect, test } from "vitest";
import { minimal, problemsOf, server } from "./support.ts";

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
    [
      "mode",
      "observe",
      "only layers can be observed; try another policy of a server as its shadow",
    ],
    ["headersHelper", "x", "put the value into headers"],
    ["auth", {}, "use oauth"],
  ])("a server's %s is refused by name", (key, value, reason) => {
    const problems = problemsOf(withServer({ [key]: value }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(reason);
  });

  test("policy.isolation is refused by name", () => {
    const problems = problemsOf({ ...minimal, policy: { isolation: "inline" } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("policies always run in worker threads");
  });
});
