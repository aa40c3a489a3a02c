import { expect, test } from "vitest";
import { childEnvironment } from "../../../src/mcp/upstream/child-environment.ts";

test("a child gets the listed variables, its own, and nothing else", () => {
  const own = { PATH: "/bin", HOME: "/h", DATABASE_URL: "secret", MCP_GATEWAY_STATE: "/s" };
  expect(childEnvironment(own, { TOKEN: "t" })).toEqual({ PATH: "/bin", HOME: "/h", TOKEN: "t" });
});

test("what the config says wins over what is inherited", () => {
  expect(childEnvironment({ PATH: "/bin" }, { PATH: "/own" })).toEqual({ PATH: "/own" });
});

test("an exported shell function is not passed on", () => {
  expect(childEnvironment({ TERM: "() { :; }; evil" }, {})).toEqual({});
});
