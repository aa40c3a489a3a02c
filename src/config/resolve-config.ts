/**
 * From the file's own names to those of the code: the one place that knows both. Takes a checked
 * file and fails at nothing.
 */
import { resolve } from "node:path";
import type { AgentIdentity } from "../contract/policy-input.ts";
import type { GatewayConfig, PolicySource, ServerConfig } from "./config.ts";
import { postureOf } from "./config-rules.ts";
import type { ConfigFile, PolicyEntry, ServerEntry } from "./config-schema.ts";
import { resolvePolicyReference } from "./policy-reference.ts";

/** The configuration of a checked file at an absolute path. */
export function resolveConfig(path: string, folder: string, file: ConfigFile): GatewayConfig {
  const { servers, layers, registries } = file;
  return {
    path,
    profile: file.profile,
    tenant: file.tenant,
    agent: resolveAgent(file.agent),
    user: file.user,
    environment: file.environment,
    servers: new Map(
      Object.entries(servers).map(([id, entry]) => [id, resolveServer(id, folder, entry)]),
    ),
    layers: layers.map(({ name, kind, policy }) => ({
      name,
      kind,
      policy: resolvePolicy(folder, policy),
    })),
    decisions: resolveDecisions(file.decisions),
    policy: {
      deadlineMs: file.policy.deadline_ms,
      inputMaxBytes: file.policy.input_max_bytes,
      memoryMaxMb: file.policy.memory_max_mb,
    },
    registries: new Map(
      Object.entries(registries).map(([host, entry]) => [host.toLowerCase(), entry]),
    ),
    posture: postureOf(file),
  };
}

function resolveAgent(agent: ConfigFile["agent"]): AgentIdentity {
  return { ...agent, authenticated: true };
}

function resolveServer(id: string, folder: string, entry: ServerEntry): ServerConfig {
  return {
    id,
    command: entry.command,
    args: entry.args,
    env: resolveVariables(entry.env),
    cwd: resolve(folder, entry.cwd ?? "."),
    policy: entry.policy === undefined ? undefined : resolvePolicy(folder, entry.policy),
    naming: entry.naming,
    ceiling: entry.ceiling,
    region: entry.region,
    external: entry.external,
    tools: new Map(
      Object.entries(entry.tools).map(([name, tool]) => [
        name,
        { dataClasses: tool.data_classes, labels: tool.labels },
      ]),
    ),
    startTimeoutMs: entry.start_timeout_ms,
    callTimeoutMs: entry.call_timeout_ms,
    disabled: entry.disabled,
  };
}

/** Numbers become text; `null`, with which some clients take a variable away, leaves it out. */
function resolveVariables(env: ServerEntry["env"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])),
  );
}

function resolvePolicy(folder: string, policy: PolicyEntry): PolicySource {
  const given = typeof policy === "string" ? policy : policy.bundle;
  const resolved = resolvePolicyReference(folder, given);
  return { reference: resolved.ok ? resolved.reference : given };
}

function resolveDecisions(decisions: ConfigFile["decisions"]): GatewayConfig["decisions"] {
  const { store, durability, on_failure: onFailure, spool_max_bytes: limit } = decisions;
  const embedded = store === "embedded";
  return {
    store: embedded ? { kind: "embedded" } : { kind: "postgres", url: store },
    durability,
    onFailure,
    spoolMaxBytes: limit ?? (embedded ? Number.MAX_SAFE_INTEGER : 1_073_741_824),
  };
}
