/**
 * From the file's own names to those of the code: the one place that knows both. Takes a checked
 * file and fails at nothing.
 */
import { resolve } from "node:path";
import type { AgentIdentity } from "../contract/policy-input.ts";
import type {
  GatewayConfig,
  HttpConfig,
  LayerConfig,
  PolicySource,
  ServerConfig,
} from "./config.ts";
import type { RegistryConfig } from "./registry-config.ts";
import { postureOf } from "./config-rules.ts";
import type { CompanionEntries, ConfigFile, PolicyEntry, ServerEntry } from "./config-schema.ts";
import { resolveAdmin } from "./admin-schema.ts";
import { resolveApprovals } from "./approvals-schema.ts";
import { resolveDetectors } from "./classification-schema.ts";
import { observedUntilMs } from "./layer-rules.ts";
import { resolvePolicyReference } from "./policy-reference.ts";
import { resolveCanaryLimits } from "./canary-schema.ts";
import { resolveCadence } from "./cadence-schema.ts";
import { resolveDecisions } from "./resolve-decisions.ts";
import { resolveSigners, resolveTrust } from "./resolve-trust.ts";
import { resolveMetrics, resolveOtlp } from "./telemetry-schema.ts";
import { resolveTexts } from "./texts-schema.ts";

/** The configuration of a checked file at an absolute path. */
export function resolveConfig(path: string, folder: string, file: ConfigFile): GatewayConfig {
  const { servers, layers, registries, trust } = file;
  return {
    path,
    profile: file.profile,
    tenant: file.tenant,
    agent: resolveAgent(file.agent),
    user: file.user,
    agents: resolveAgents(file),
    trustedRuntimes: file.trusted_runtimes,
    environment: file.environment,
    servers: new Map(
      Object.entries(servers).map(([id, entry]) => [id, resolveServer(id, folder, entry, file)]),
    ),
    layers: layers.map((entry) => resolveLayer(folder, entry, trust)),
    signers: resolveSigners(folder, trust),
    decisions: resolveDecisions(folder, file.decisions),
    policy: {
      deadlineMs: file.policy.deadline_ms,
      inputMaxBytes: file.policy.input_max_bytes,
      memoryMaxMb: file.policy.memory_max_mb,
    },
    maxWaivers: file.policy.max_waivers,
    approvals: resolveApprovals(file.approvals),
    notify: file.notify.channels,
    http: resolveHttp(file.http),
    admin: resolveAdmin(file.admin),
    metrics: resolveMetrics(file.metrics),
    otlp: resolveOtlp(file.telemetry),
    stateKey: file.state_key,
    state: {
      redisUrl: file.state.redis_url,
      sharesConversations: file.state.conversations === "shared",
    },
    registries: new Map(
      Object.entries(registries).map(([host, entry]) => [
        host.toLowerCase(),
        resolveRegistry(folder, entry),
      ]),
    ),
    posture: postureOf(file),
  };
}

function resolveAgent(agent: ConfigFile["agent"]): AgentIdentity {
  return { ...agent, authenticated: true };
}

/** What `agents` says of an id goes before what is said of it elsewhere. */
function resolveAgents({ agent, agents, http }: ConfigFile): GatewayConfig["agents"] {
  const tokens = http.authorization?.tokens ?? [];
  const named = Object.entries(agents).map(([id, facts]) => ({ id, ...facts }));
  const known = [...tokens.map((token) => token.agent), agent, ...named];
  return new Map(known.map((one) => [one.id, resolveAgent(one)]));
}

function resolveLayer(
  folder: string,
  { name, kind, policy, when, mode, until, ...entry }: ConfigFile["layers"][number],
  trust: ConfigFile["trust"],
): LayerConfig {
  return {
    name,
    kind,
    policy: resolvePolicy(folder, policy, trust),
    ...resolveCompanions(folder, entry, trust),
    when: when && {
      servers: when.servers,
      agents: when.agents,
      regions: when.regions,
      isProduction: when.is_production,
    },
    observedUntilMs: mode === "observe" ? observedUntilMs(until) : undefined,
  };
}

function resolveServer(
  id: string,
  folder: string,
  entry: ServerEntry,
  { trust, classification, texts }: ConfigFile,
): ServerConfig {
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
    policy: entry.policy === undefined ? undefined : resolvePolicy(folder, entry.policy, trust),
    ...resolveCompanions(folder, entry, trust),
    naming: entry.naming,
    ceiling: entry.ceiling,
    defaultEffect: entry.default,
    region: entry.region,
    external: entry.external,
    tools: new Map(
      Object.entries(entry.tools).map(([name, tool]) => [
        name,
        {
          dataClasses: tool.data_classes,
          labels: tool.labels,
          ...(tool.result === undefined
            ? {}
            : { result: { dataClasses: tool.result.data_classes, labels: tool.result.labels } }),
        },
      ]),
    ),
    detectors: resolveDetectors(classification, entry.classification),
    texts: resolveTexts(texts, entry.texts),
    startTimeoutMs: entry.start_timeout_ms,
    callTimeoutMs: entry.call_timeout_ms,
    disabled: entry.disabled,
    releaseReference:
      entry.release === undefined ? undefined : absoluteReference(folder, entry.release),
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
    ...(entry.ca_file === undefined ? {} : { caFile: resolve(folder, entry.ca_file) }),
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

/** That it is one was checked before. */
function absoluteReference(folder: string, reference: string): string {
  const resolved = resolvePolicyReference(folder, reference);
  return resolved.ok ? resolved.reference : reference;
}

function resolvePolicy(
  folder: string,
  policy: PolicyEntry,
  trust: ConfigFile["trust"],
): PolicySource {
  const entry = typeof policy === "string" ? { bundle: policy } : policy;
  const reference = absoluteReference(folder, entry.bundle);
  return {
    reference,
    trust: resolveTrust(folder, reference, entry, trust),
    cadence: resolveCadence(reference, entry),
    opaque: entry.opaque ?? "refuse",
  };
}

function resolveCompanions(
  folder: string,
  { shadow, canary }: CompanionEntries,
  trust: ConfigFile["trust"],
): Pick<LayerConfig, "shadow" | "canary"> {
  return {
    shadow: shadow === undefined ? undefined : resolvePolicy(folder, shadow, trust),
    canary: canary && {
      policy: resolvePolicy(folder, canary.policy, trust),
      percent: canary.percent,
      abort: resolveCanaryLimits(canary.abort),
    },
  };
}

function resolveRegistry(folder: string, entry: ConfigFile["registries"][string]): RegistryConfig {
  const pathOf = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : resolve(folder, file);
  return {
    username: entry.username,
    password: entry.password,
    token: entry.token,
    credentialHelper: entry.credential_helper,
    plainHttp: entry.plain_http,
    caFile: pathOf(entry.ca_file),
    certFile: pathOf(entry.cert_file),
    keyFile: pathOf(entry.key_file),
    trustedRealms: entry.trusted_realms,
    redirectHosts: entry.redirect_hosts,
    mirrors: entry.mirrors.map(({ host, prefix, resolve_tags: resolveTags, credentials }) => ({
      host: host.toLowerCase(),
      prefix,
      resolveTags,
      credentials,
    })),
  };
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
          agentVersion: entry.claims.agent_version,
          agentModel: entry.claims.agent_model,
          user: entry.claims.user,
          groups: entry.claims.groups,
          dataClassificationsAuthorized: entry.claims.data_classifications_authorized,
          agentScope: entry.claims.agent_scope,
          ownerTeam: entry.claims.owner_team,
          parent: entry.claims.parent,
          conversation: entry.claims.conversation,
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
