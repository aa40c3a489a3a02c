/**
 * What an attacker finds: the real bin in front of hostile servers that write down every byte they
 * get, with a policy that grants all kinds of action, hides what is called hidden, and denies
 * whatever says FORBIDDEN anywhere in an action.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { isRecord } from "../../../src/contract/json.ts";
import { actionTypes } from "../../../src/contract/policy-input.ts";
import { freshEnvironment, root, runBin } from "../../support/gateway-process.ts";
import type { TestPolicy } from "../../support/policy-layout.ts";
import { buildLayout } from "../../support/policy-layout.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

// Each test starts processes and waits for them; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

export interface HostileServer {
  readonly era?: "legacy" | "modern";
  /** Replaces some of the usual lists. */
  readonly lists?: object;
  readonly settings?: object;
}

export interface HostileSetting {
  readonly config: string;
  readonly env: Record<string, string>;
  /** Lines that a server received, as they came. */
  readonly received: (server: string) => readonly string[];
  /** What it lists from now on. */
  readonly setLists: (server: string, lists: object) => void;
  /** The records, oldest first; of a gateway that has ended. */
  readonly decisions: () => Promise<readonly Decision[]>;
  /** Admission of a decision, whole. */
  readonly admission: (id: string) => Promise<Record<string, unknown>>;
}

export interface Decision {
  readonly decision_id: string;
  readonly effect: string;
  readonly reasons: readonly string[];
  readonly outcome: string;
  readonly action_type: string;
  readonly exposed_name: string;
  readonly user: string;
  /** `null` where nothing is known of the arguments. */
  readonly args_sha256: string | null;
}

/** Of a server; its name has to be the server's id. */
const hostilePolicy: TestPolicy = {
  rego: `# METADATA
# title: Anything
# custom:
#   id: anything
#   actions: ${JSON.stringify(actionTypes)}
allow contains {"rule": rego.metadata.rule()} if input.action.server

deny contains "forbidden" if contains(json.marshal(input.action), "FORBIDDEN")`,
};

/** Everything may be seen but what is called hidden. */
const visible = [
  ..."abcdefgijklmnoqstuvwxyz".split("").map((letter) => `${letter}*`),
  "prompt_get:greet",
  "sampling:*",
  "elicitation:*",
  "roots_list:*",
  ...["memo", "file", "ui", "http", "https", "mcp-p+memo"].map(
    (scheme) => `resource_read:${scheme}:*`,
  ),
];
const identityPolicy: TestPolicy = {
  layer: "identity",
  rego: `capabilities := {"servers": ["*"], "tools": ${JSON.stringify(visible)}, "scopes": ["*"]}`,
};

/** Builds the policies of these servers once; a file may use them in many settings. */
export async function buildHostileLayout(ids: readonly string[]): Promise<string> {
  const servers = Object.fromEntries(ids.map((id) => [id, hostilePolicy]));
  return await buildLayout({ ...servers, identity: identityPolicy });
}

/** Writes the configuration; nothing is started. */
export function writeHostileConfig(
  layout: string,
  servers: Readonly<Record<string, HostileServer>>,
  more: object = {},
): HostileSetting {
  const folder = temporaryFolder();
  const fileOf = (server: string, kind: string) => join(folder, `${server}.${kind}`);
  const setLists = (server: string, lists: object): void =>
    writeFileSync(fileOf(server, "lists"), JSON.stringify(lists));
  for (const [id, { lists = {} }] of Object.entries(servers)) {
    setLists(id, lists);
    appendFileSync(fileOf(id, "received"), "");
  }
  const entries = Object.entries(servers).map(([id, { era = "legacy", settings }]) => [
    id,
    {
      command: process.execPath,
      args: [join(root, "test", "fixtures", "hostile-server.js"), era],
      env: { HOSTILE_RECEIVED: fileOf(id, "received"), HOSTILE_LISTS: fileOf(id, "lists") },
      protocol: era,
      policy: `oci-layout:${layout}:${id}`,
      ...settings,
    },
  ]);
  const config = join(folder, "mcp-gateway.config.json");
  const who = { agent: { id: "agent", scope: "test" }, user: { id: "alice" } };
  const document = {
    ...who,
    servers: Object.fromEntries(entries),
    layers: [{ name: "identity", kind: "identity", policy: `oci-layout:${layout}:identity` }],
    policy: { deadline_ms: 5000 },
    ...more,
  };
  writeFileSync(config, JSON.stringify(document, null, 2), { mode: 0o600 });
  const env = freshEnvironment({ MCP_GATEWAY_LOG: "info" });
  const decision = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runBin(["decision", ...args, "--config", config], env);
    if (code !== 0) throw new Error(`expected decision ${args[0]} to end well: ${stderr}`);
    return stdout;
  };
  return {
    config,
    env,
    setLists,
    received: (server) =>
      readFileSync(fileOf(server, "received"), "utf8").split("\n").filter(Boolean),
    decisions: async () => {
      const stdout = await decision("list", "-o", "jsonl", "--limit", "1000");
      const lines = stdout.split("\n").filter(Boolean);
      return lines.map((line): Decision => JSON.parse(line)).toReversed();
    },
    admission: async (id) => {
      const { admission } = Object(JSON.parse(await decision("get", id, "-o", "json")));
      return isRecord(admission) ? admission : {};
    },
  };
}

/** What of these lines is a request that acts: no handshake, no list, no ping. */
export function acts(lines: readonly string[]): readonly Record<string, unknown>[] {
  const harmless = /^(initialize|ping|server\/discover|logging\/.*|notifications\/.*|.*\/list)$/;
  return lines
    .map((line) => Object(JSON.parse(line)))
    .filter(({ method }) => typeof method === "string" && !harmless.test(method))
    .filter(({ method }) => method !== "subscriptions/listen");
}
