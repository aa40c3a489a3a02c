/**
 * A small stack of compiled policies with a configuration around it, and cases as files.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CliOutcome } from "../../support/cli-run.ts";
import { runCli } from "../../support/cli-run.ts";
import type { TestPolicy } from "../../support/policy-layout.ts";
import { buildLayout } from "../../support/policy-layout.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

export interface StackWorld {
  readonly folder: string;
  readonly config: string;
  /** Runs `policy test --stack` on these cases. */
  readonly test: (cases: readonly object[], ...options: readonly string[]) => Promise<CliOutcome>;
  /** Runs it with these arguments and no others. */
  readonly run: (...args: readonly string[]) => Promise<CliOutcome>;
}

const policies: Readonly<Record<string, TestPolicy>> = {
  crm: {
    rego: `# METADATA
# custom:
#   id: crm.read
allow contains {"rule": rego.metadata.rule()} if input.action.tool == "get"

# METADATA
# custom:
#   id: crm.prompts
#   actions: [prompt_get, resource_read]
allow contains {"rule": rego.metadata.rule()} if input.action.type in {"prompt_get", "resource_read"}

deny contains "seen_here" if "secret" in input.context.labels_seen

obligations contains {"id": "addresses", "type": "redact", "properties": {"kinds": ["email"]}} if input.action.args.redact == true

obligations contains {"id": "song", "type": "sing", "properties": {}} if input.action.args.sing == true

hide contains "hidden_tool" if input.action.tool == "purge"

deny contains "nearly_used_up" if input.usage.refunds.used >= 8`,
    metadata: {
      counters: {
        refunds: {
          key: ["user"],
          limit: 10,
          window: { fixed: "24h" },
          cost: { argument: "/refund", default: 0 },
        },
      },
    },
  },
  watched: {
    layer: "compliance",
    rego: 'deny contains "not_on_mondays" if input.action.args.day == "monday"',
  },
  flow: {
    layer: "workflow",
    rego: `deny contains "seen_anywhere" if "secret" in input.context.labels_seen

# METADATA
# custom:
#   id: ask_a_lead
require_approval contains {"rule": rego.metadata.rule(), "approvers": ["lena"]} if input.action.args.big == true

# METADATA
# custom:
#   id: ask_security
require_approval contains {"rule": rego.metadata.rule()} if input.action.args.huge == true

# METADATA
# custom:
#   id: odd
warn contains {"rule": rego.metadata.rule()} if input.action.args.odd == true

deny contains "approved_by_nobody" if {
	input.approval != null
	not "lena" in input.approval.approved_by
}`,
  },
};

let layout: Promise<string> | undefined;

/** A stack of one server and two layers, one of them only watched until `observedUntil`. */
export async function openStackWorld(observedUntil = "2026-12-31"): Promise<StackWorld> {
  const built = await (layout ??= buildLayout(policies));
  const folder = temporaryFolder();
  const config = join(folder, "mcp-gateway.config.json");
  const policyOf = (name: string): object => ({
    bundle: `oci-layout:${built}:${name}`,
    require: "none",
  });
  const watched = { name: "watched", kind: "compliance", policy: policyOf("watched") };
  writeFileSync(
    config,
    JSON.stringify({
      profile: "trial",
      agent: { id: "bot", scope: "support" },
      user: { id: "alice" },
      servers: {
        crm: {
          command: "none",
          policy: policyOf("crm"),
          tools: { get: { data_classes: ["internal"] } },
        },
      },
      layers: [
        { name: "flow", kind: "workflow", policy: policyOf("flow") },
        { ...watched, mode: "observe", until: observedUntil },
      ],
    }),
  );
  const env = { HOME: folder, XDG_CACHE_HOME: join(folder, "cache"), PATH: "" };
  const run = async (...args: readonly string[]): Promise<CliOutcome> =>
    await runCli(["policy", "test", ...args], folder, env);
  const test = async (
    cases: readonly object[],
    ...options: readonly string[]
  ): Promise<CliOutcome> => {
    writeFileSync(join(folder, "a.stack.json"), JSON.stringify({ cases }));
    return await run("--stack", "-c", config, ...options);
  };
  return { folder, config, test, run };
}

/** A case of a call of `get` with these arguments. */
export function get(name: string, args: object, expect: object, more: object = {}): object {
  const call = { server: "crm", tool: "get", arguments: args };
  return { name, time: "2026-11-23T10:00:00Z", call, expect, ...more };
}
