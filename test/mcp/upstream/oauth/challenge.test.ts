import { describe, expect, test } from "vitest";
import { noChallenge, readChallenge } from "../../../../src/mcp/upstream/oauth/challenge.ts";
import { serverAt } from "./setting.ts";

const server = serverAt("https://mcp.example/mcp");

describe("a challenge", () => {
  test("is read with and without quotes, in any order and case", () => {
    const header =
      'BEARER Scope="a b a", error=insufficient_scope, Resource_Metadata="https://mcp.example/m"';
    const { scopes, error, resourceMetadataUrl } = readChallenge(server, header);
    expect([scopes, error]).toEqual([["a", "b"], "insufficient_scope"]);
    expect(resourceMetadataUrl?.href).toBe("https://mcp.example/m");
  });

  test("is found beside those of other schemes", () => {
    expect(readChallenge(server, 'Basic realm="x", Bearer scope="a"').scopes).toEqual(["a"]);
  });

  test.each([undefined, "", "Basic realm=x", "Bearerish scope=a", `Bearer ${"x".repeat(20_000)}`])(
    "is none where there is none",
    (header) => {
      expect(readChallenge(server, header)).toEqual(noChallenge);
    },
  );

  test("keeps the first of two values", () => {
    expect(readChallenge(server, 'Bearer scope="a", scope="b"').scopes).toEqual(["a"]);
  });

  test("brings no text that is no scope, and not more than sixty-four", () => {
    const many = Array.from({ length: 100 }, (_, index) => `s${index}`).join(" ");
    expect(readChallenge(server, `Bearer scope="${many}"`).scopes).toHaveLength(64);
    expect(readChallenge(server, 'Bearer scope="ok b\u00e4d \u0007"').scopes).toEqual(["ok"]);
  });

  test("with metadata at no URL is refused", () => {
    const read = (): unknown => readChallenge(server, 'Bearer resource_metadata="nowhere"');
    expect(read).toThrow(expect.objectContaining({ code: "oauth_metadata_invalid" }));
  });
});
