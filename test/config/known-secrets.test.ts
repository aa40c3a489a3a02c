import { expect, test } from "vitest";
import { load, minimal } from "./support.ts";

test("a configuration knows its secrets: what references bring, and what stands where secrets do", () => {
  const env = {
    ONE: "first-secret",
    KEY: "k".repeat(40),
    SHORT: "abc",
    URL: "postgres://u:p%40ssw0rd!@h/d",
  };
  const { config } = load(
    {
      ...minimal,
      servers: {
        near: {
          command: "node",
          env: { A: "${env:ONE}", API_TOKEN: "literal-token", MODE: "production" },
        },
        far: {
          url: "https://u.example/mcp?api_key=key-of-query&page=twelve-pages",
          headers: { Authorization: "Bearer literal-bearer", Accept: "application/json" },
        },
      },
      decisions: { store: "${env:URL}", masking: { key: "${env:KEY}" } },
      registries: { "r.example": { username: "robot-user", password: "x${env:SHORT}" } },
    },
    env,
  );
  const secrets = config.secrets ?? [];
  for (const known of [
    "first-secret",
    "literal-token",
    "literal-bearer",
    "key-of-query",
    env.KEY,
  ]) {
    expect(secrets).toContain(known);
  }
  expect(secrets).toContain("p@ssw0rd!");
  for (const word of ["production", "application/json", "twelve-pages", "abc"]) {
    expect(secrets).not.toContain(word);
  }
});
