/**
 * Which claim says what: every key of an issuer's `claims` reaches the mapping that tokens are read
 * by. One that got lost would leave out what narrows an agent: its scope, or its parent.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isRecord } from "../../src/contract/json.ts";
import { root } from "../support/gateway-process.ts";
import { load, minimal } from "./support.ts";

/** The keys that the published schema knows. */
function keysOfClaims(): readonly string[] {
  const schema: unknown = JSON.parse(
    readFileSync(join(root, "schema", "mcp-gateway.schema.json"), "utf8"),
  );
  const found = propertiesWith("agent_scope", schema);
  if (found === undefined) throw new Error("expected claims in the schema");
  return Object.keys(found);
}

/** The first `properties` that have this one. */
function propertiesWith(key: string, value: unknown): object | undefined {
  if (Array.isArray(value)) {
    return value.map((item) => propertiesWith(key, item)).find((found) => found !== undefined);
  }
  if (!isRecord(value)) return undefined;
  const { properties } = value;
  if (isRecord(properties) && Object.hasOwn(properties, key)) return properties;
  return propertiesWith(key, Object.values(value));
}

const inCode = (key: string): string =>
  key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

test("every key of an issuer's claims is the claim that is read for it", () => {
  const keys = keysOfClaims();
  expect(keys.length).toBeGreaterThan(8);
  const claims = Object.fromEntries(keys.map((key) => [key, `app.${key}`]));
  const { config } = load({
    ...minimal,
    http: {
      public_url: "https://gateway.example/mcp",
      authorization: { issuers: [{ issuer: "https://idp.example", claims }] },
    },
  });
  expect(config.http.authorization?.issuers[0]?.claims).toEqual(
    Object.fromEntries(keys.map((key) => [inCode(key), `app.${key}`])),
  );
});
