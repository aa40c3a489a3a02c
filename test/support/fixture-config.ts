/**
 * Configurations around the misbehaving fixture server. Policies have long to decide, unless a test
 * says otherwise: a busy machine is no reason for a denial here.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./gateway-process.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface FixtureServer {
  /** Mode of the fixture; default `ok`. */
  readonly mode?: string;
  readonly command?: string;
  readonly policy?: string | object;
  readonly env?: Readonly<Record<string, string>>;
  readonly settings?: object;
}

/** Writes a configuration with these servers; returns its path. */
export function writeFixtureConfig(
  servers: Readonly<Record<string, FixtureServer>>,
  more: object = {},
): string {
  const path = join(temporaryFolder(), "mcp-gateway.config.json");
  const fixture = join(root, "test", "fixtures", "fixture-server.js");
  const entries = Object.entries(servers).map(
    ([id, { mode = "ok", command, policy, env = {}, settings }]) => [
      id,
      {
        command: command ?? process.execPath,
        args: [fixture, mode],
        env,
        ...(policy === undefined ? {} : { policy }),
        ...settings,
      },
    ],
  );
  const config = {
    agent: { id: "test-agent", scope: "test" },
    user: { id: "tester" },
    policy: { deadline_ms: 10_000 },
    servers: Object.fromEntries(entries),
    ...more,
  };
  writeFileSync(path, JSON.stringify(config, null, 2), { mode: 0o600 });
  return path;
}
