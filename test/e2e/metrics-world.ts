/**
 * A gateway with everything around it that can go wrong: a Postgres, a collector that is away, servers
 * and policies that misbehave where a test asks for it.
 */
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freePort } from "../support/free-port.ts";
import { freshEnvironment, serveCommand } from "../support/gateway-process.ts";
import type { TestPolicy } from "../support/policy-layout.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import type { RawClient } from "../support/raw-client.ts";
import { startRawClient } from "../support/raw-client.ts";

const policies: Readonly<Record<string, TestPolicy>> = {
  ok: {
    rego: `allow contains "granted" if input.action.type == "tool_call"

deny contains "no_environment" if input.action.tool == "environment"`,
  },
  held: { rego: 'require_approval contains {"code": "people_first", "approvers": ["self"]}' },
  busy: allowAll,
  dies: allowAll,
  loops: {
    layer: "compliance",
    rego: `ups := numbers.range(1, 30000)
downs := numbers.range(-30000, -1)
deny contains "x" if {
	input.action.tool == "progress"
	some up in ups
	some down in downs
	up == down
}

deny contains "y" if conflict == 3
conflict := 1 if input.version == 1
conflict := 2 if input.action.tool == "numbers"`,
  },
};

export const spoolMaxBytes = 65_536;

export interface World {
  readonly client: RawClient;
  readonly metrics: string;
  readonly config: string;
  readonly env: Record<string, string>;
  readonly url: string;
}

/** Started, and greeted; ships to the database of `url`. */
export async function openWorld(url: string): Promise<World> {
  const layout = await buildLayout(policies);
  const port = await freePort();
  const server = (name: string, settings: object = {}) => ({
    policy: `oci-layout:${layout}:${name}`,
    settings,
  });
  const config = writeFixtureConfig(
    {
      ok: server("ok"),
      held: server("held"),
      busy: server("busy", { max_concurrent: 1 }),
      dies: server("dies"),
      gone: server("gone"),
    },
    {
      profile: "trial",
      policy: { deadline_ms: 5000 },
      layers: [
        {
          name: "loops",
          kind: "compliance",
          policy: `oci-layout:${layout}:loops`,
          mode: "observe",
          until: new Date(Date.now() + 86_400_000).toISOString(),
        },
      ],
      decisions: {
        store: "${env:DATABASE_URL}",
        on_failure: "continue",
        spool_max_bytes: spoolMaxBytes,
      },
      metrics: { listen: `127.0.0.1:${port}` },
      telemetry: { otlp: { endpoint: `http://127.0.0.1:${await freePort()}`, interval: "1s" } },
    },
  );
  const env = freshEnvironment({ DATABASE_URL: url });
  const client = await startRawClient(serveCommand(config, env));
  return { client, metrics: `http://127.0.0.1:${port}/metrics`, config, env, url };
}
