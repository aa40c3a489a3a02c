/**
 * From the file's own names to those of the code: the one place that knows both. Takes a checked
 * file and fails at nothing.
 */
import { resolve } from "node:path";
import type { AgentIdentity } from "../contract/policy-input.ts";
import type { GatewayConfig, HttpConfig, PolicySource, ServerConfig } from "./config.ts";
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
    http: resolveHttp(file.http),
    stateKey: file.state_key,
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
    transport: resolveTransport(folder, entry),
    protocol: entry.protocol,
    sharing: entry.sharing ?? (entry.to_client.length > 0 ? "session" : "principal"),
    toClient: entry.to_client,
    roots: entry.roots,
    resources: entry.resources,
    idleTimeoutMs: entry.idle_timeout_ms,
    maxConcurrent: entry.max_concurrent,
    maxConnections: entry.max_connections ?? (entry.url === undefined ? 32 : 1024),
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

/** That one of the two is there was checked before. */
function resolveTransport(folder: string, entry: ServerEntry): ServerConfig["transport"] {
  if (entry.url === undefined) {
    return {
      kind: "stdio",
      command: entry.command ?? "",
      args: entry.args,
      env: resolveVariables(entry.env),
      cwd: resolve(folder, entry.cwd ?? "."),
    };
  }
  const { oauth } = entry;
  return {
    kind: "http",
    url: entry.url,
    headers: entry.headers,
    oauth: oauth && {
      grant: oauth.grant,
      clientId: oauth.client_id,
      clientSecret: oauth.client_secret,
      clientMetadataUrl: oauth.client_metadata_url,
      scopes: oauth.scopes,
      issuer: oauth.issuer,
      callbackPort: oauth.callback_port,
    },
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

function resolveHttp(http: ConfigFile["http"]): HttpConfig {
  return {
    publicUrl: http.public_url,
    allowedHosts: http.allowed_hosts,
    allowedOrigins: http.allowed_origins,
    maxBodyBytes: http.max_body_bytes,
    maxSessions: http.max_sessions,
    sessionIdleMs: http.session_idle_seconds * 1000,
    authorization: http.authorization && {
      issuers: http.authorization.issuers.map((entry) => ({
        issuer: entry.issuer,
        jwksUri: entry.jwks_uri,
        audience: entry.audience,
        algorithms: entry.algorithms,
        claims: {
          agent: entry.claims.agent,
          user: entry.claims.user,
          groups: entry.claims.groups,
          dataClassificationsAuthorized: entry.claims.data_classifications_authorized,
          agentScope: entry.claims.agent_scope,
          ownerTeam: entry.claims.owner_team,
          parent: entry.claims.parent,
        },
      })),
      tokens: http.authorization.tokens.map((entry) => ({
        sha256: entry.sha256,
        agent: resolveAgent(entry.agent),
        user: entry.user,
        servers: entry.servers,
      })),
    },
  };
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
