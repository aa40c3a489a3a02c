import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, serveCommand } from "../support/gateway-process.ts";
import { startRawClient } from "../support/raw-client.ts";

test("a gateway says at its start that the pins of a server cannot be read", async () => {
  const config = writeFixtureConfig({ notes: { mode: "echo" }, other: { mode: "echo" } });
  const env = freshEnvironment();
  const pins = join(env["MCP_GATEWAY_STATE"] ?? "", "pins");
  mkdirSync(pins, { recursive: true, mode: 0o700 });
  writeFileSync(join(pins, "notes.json"), "{}", { mode: 0o600 });
  const client = await startRawClient(serveCommand(config, env));
  const lines = (): readonly string[] =>
    client
      .stderr()
      .split("\n")
      .filter((line) => line.includes("pins of a server cannot be read"));
  // Nobody has asked for a list.
  await eventually(() => lines().length > 0, 60_000);
  await client.end();
  expect(lines()).toHaveLength(1);
  expect(JSON.parse(lines()[0] ?? "")).toMatchObject({
    level: "error",
    server: "notes",
    reason: expect.stringContaining("server pin notes"),
  });
}, 120_000);
