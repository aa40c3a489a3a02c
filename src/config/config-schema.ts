/**
 * The shape of `mcp-gateway.config.json`, once: it checks the file, and editors get
 * `schema/mcp-gateway.schema.json` made of it. Shapes and defaults only; what depends on two keys is
 * in `config-rules.ts`. Written against `zod/mini`: every start pays for it, half that of `zod`.
 */
import * as z from "zod/mini";
import { adminSchema } from "./admin-schema.ts";
import { approvalsSchema } from "./approvals-schema.ts";
import { notifySchema } from "./notify-schema.ts";
import { classificationSchema, toolSchema } from "./classification-schema.ts";
import { decisionsSchema } from "./decisions-schema.ts";
import { agentSchema, agentsSchema, trustedRuntimesSchema, userSchema } from "./identity-schema.ts";
import { companionShape, layerShape, policySourceSchema } from "./layer-schema.ts";
import { textsSchema } from "./texts-schema.ts";
import { stateSchema } from "./state-schema.ts";
import { metricsSchema, telemetrySchema } from "./telemetry-schema.ts";
import { signerSchema } from "./trust-schema.ts";

/** Members of client entries that are accepted in a server entry and have no effect here. */
export const inertServerKeys = [
  "type",
  "transport",
  "timeout",
  "alwaysLoad",
  "autoApprove",
  "alwaysAllow",
  "description",
  "version",
  "gallery",
  "dev",
] as const;

/** Signature algorithms of tokens: asymmetric ones. */
const tokenAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

const idGrammar = /^[a-z0-9][a-z0-9-]{0,31}$/;
const idMessage =
  "expected lower-case letters, digits and hyphens, at most 32, beginning with a letter or digit";

const text = z.string().check(z.minLength(1));
const identifier = z.string().check(z.minLength(1), z.maxLength(256));
const id = z.string().check(z.regex(idGrammar, { error: idMessage }));
const words = z.array(text);
const noWords = z._default(words, []);
const nameOrNull = z._default(z.nullable(identifier), null);
const milliseconds = wholeNumber(1, 3_600_000);

const environment = z.strictObject({
  region: nameOrNull,
  is_production: z._default(z.boolean(), true),
});

const transport = z.enum(["stdio", "http", "streamable-http"]);
const inert = z.optional(z.unknown()).check(z.describe("Accepted, without effect"));

const oauth = z.strictObject({
  grant: z._default(z.enum(["authorization_code", "client_credentials"]), "authorization_code"),
  client_id: z.optional(text).check(z.describe("Registered beforehand; else the server's way")),
  client_secret: z.optional(text),
  client_metadata_url: z
    .optional(text)
    .check(z.describe("https URL of a client ID metadata document")),
  scopes: noWords,
  issuer: z.optional(text).check(z.describe("The only authorization server that is spoken to")),
  callback_port: z.optional(wholeNumber(1, 65_535)),
});

const root = z.strictObject({ uri: text, name: z.optional(text) });

const server = z.strictObject({
  command: z.optional(text).check(z.describe("Program to start; or url")),
  url: z.optional(text).check(z.describe("MCP endpoint of a server that is reached over HTTP")),
  headers: z._default(z.record(text, z.string()), {}),
  oauth: z.optional(oauth),
  ca_file: z
    .optional(text)
    .check(z.describe("The authority of its certificate where it is a private one, PEM")),
  protocol: z
    ._default(z.enum(["auto", "legacy", "modern"]), "auto")
    .check(z.describe("legacy: up to 2025-11-25; modern: 2026-07-28; auto: found out once")),
  sharing: z
    .optional(z.enum(["principal", "session"]))
    .check(z.describe("Who shares a connection; session where to_client names anything")),
  to_client: z
    ._default(z.array(z.enum(["sampling", "elicitation", "roots"])), [])
    .check(z.describe("What the server may ask of the client, where its policy grants it")),
  roots: z.optional(z.array(root)).check(z.describe("Told to this server instead of the client's")),
  resources: z
    ._default(z.enum(["original", "prefix"]), "original")
    .check(z.describe("prefix: resource URIs carry the server's id")),
  idle_timeout_ms: z
    .optional(wholeNumber(0, 86_400_000))
    .check(
      z.describe(
        "After this long without a request its connection is closed; 0: never, which is the default on stdio; else 600000",
      ),
    ),
  max_concurrent: z._default(wholeNumber(1, 10_000), 64),
  max_connections: z
    .optional(wholeNumber(1, 100_000))
    .check(z.describe("Processes or sessions at once; default 32 of a command, 1024 of a url")),
  args: z._default(z.array(z.string()), []),
  env: z._default(z.record(z.string(), z.union([z.string(), z.number(), z.null()])), {}),
  cwd: z.optional(text).check(z.describe("Relative to this file, whose folder is the default")),
  disabled: z._default(z.boolean(), false),
  policy: z.optional(policySourceSchema),
  ...companionShape,
  release: z
    .optional(text)
    .check(
      z.describe("oci://HOST/REPOSITORY:TAG or oci-layout:PATH:TAG of what server upgrade takes"),
    ),
  naming: z._default(z.enum(["prefix", "bare"]), "prefix"),
  ceiling: z
    .optional(words)
    .check(z.describe("Tools that the server's own bundle may grant at most")),
  default: z
    ._default(z.enum(["deny", "allow"]), "deny")
    .check(z.describe("allow: grants tool calls where the bundle has no rule that grants")),
  region: nameOrNull,
  external: z
    ._default(z.boolean(), false)
    .check(z.describe("True where data leaves the organisation")),
  tools: z._default(z.record(text, toolSchema), {}),
  classification: z
    .optional(classificationSchema)
    .check(z.describe("Instead of what the file says for all servers")),
  texts: textsSchema,
  start_timeout_ms: z._default(milliseconds, 30_000),
  call_timeout_ms: z._default(milliseconds, 300_000),
  type: z.optional(transport),
  transport: z.optional(transport),
  timeout: inert,
  alwaysLoad: inert,
  autoApprove: inert,
  alwaysAllow: inert,
  description: inert,
  version: inert,
  gallery: inert,
  dev: inert,
});

const layer = z.strictObject({ name: id, ...layerShape });

const policy = z.strictObject({
  deadline_ms: z._default(milliseconds, 250),
  input_max_bytes: z._default(wholeNumber(1_024, 67_108_864), 1_048_576),
  memory_max_mb: z._default(wholeNumber(16, 4_096), 64),
  max_waivers: z
    ._default(wholeNumber(0, 10_000), 100)
    .check(z.describe("Waivers in force that count for one call at most")),
});

const mirror = z.strictObject({
  host: text.check(z.describe("Host, with its port, of a registry that has the same content")),
  prefix: z
    .optional(text)
    .check(z.describe("Put before the repository, as pull-through caches do")),
  resolve_tags: z
    ._default(z.boolean(), false)
    .check(z.describe("True believes the mirror what a tag stands for")),
  credentials: z
    ._default(z.enum(["none", "own"]), "none")
    .check(z.describe("own: those of registries.MIRROR; never those of the registry itself")),
});

const registry = z.strictObject({
  username: z.optional(text),
  password: z.optional(text),
  token: z.optional(text).check(z.describe("Bearer token that is sent as it is")),
  credential_helper: z
    .optional(text)
    .check(z.describe("NAME of a program docker-credential-NAME to ask for the login")),
  plain_http: z
    .optional(z.boolean())
    .check(z.describe("http instead of https; default: on this machine alone")),
  ca_file: z.optional(text).check(z.describe("The authority of its certificate, PEM")),
  cert_file: z.optional(text).check(z.describe("Client certificate, PEM")),
  key_file: z.optional(text).check(z.describe("Key of the client certificate, PEM")),
  trusted_realms: noWords.check(z.describe("Other hosts that it may send to for tokens")),
  redirect_hosts: noWords.check(z.describe("The only other hosts that it may redirect to")),
  mirrors: z._default(z.array(mirror), []),
});

const claimPath = text.check(z.describe("Name of a claim, or a path of names with dots"));

const issuer = z.strictObject({
  issuer: text.check(z.describe("Exact value of iss")),
  jwks_uri: z.optional(text).check(z.describe("Default: from the issuer's metadata")),
  audience: z.optional(words).check(z.describe("Default: http.public_url")),
  algorithms: z._default(z.array(z.enum(tokenAlgorithms)), ["RS256", "ES256", "PS256", "EdDSA"]),
  claims: z.prefault(
    z.strictObject({
      agent: z._default(claimPath, "client_id"),
      agent_version: z.optional(claimPath),
      agent_model: z.optional(claimPath),
      user: z._default(claimPath, "sub"),
      groups: z._default(claimPath, "groups"),
      data_classifications_authorized: z.optional(claimPath),
      agent_scope: z.optional(claimPath),
      owner_team: z.optional(claimPath),
      parent: z.optional(claimPath),
      conversation: z
        .optional(claimPath)
        .check(z.describe("Claim that tells conversations of one agent and user apart")),
    }),
    {},
  ),
});

const token = z.strictObject({
  sha256: z
    .string()
    .check(z.regex(/^[0-9a-f]{64}$/, { error: "expected 64 lower-case hexadecimal digits" }))
    .check(z.describe("SHA-256 of the bearer token")),
  agent: agentSchema,
  user: userSchema,
  servers: z.optional(words).check(z.describe("Servers it is good for; default all")),
});

const http = z.strictObject({
  public_url: z.optional(text).check(z.describe("What clients call this gateway, with its path")),
  allowed_hosts: noWords.check(z.describe("Host headers that are accepted beside the listener's")),
  allowed_origins: noWords,
  max_body_bytes: z._default(wholeNumber(1_024, 67_108_864), 4_194_304),
  max_sessions: z._default(wholeNumber(1, 1_000_000), 10_000),
  session_idle_seconds: z._default(wholeNumber(1, 86_400), 1_800),
  authorization: z.optional(
    z.strictObject({
      issuers: z._default(z.array(issuer), []),
      tokens: z._default(z.array(token), []),
    }),
  ),
});

/** The whole file, after `${env:…}` and `${file:…}` were expanded. */
export const configSchema = z.strictObject({
  $schema: z.optional(z.string()),
  profile: z._default(z.enum(["strict", "trial"]), "strict"),
  tenant: z._default(identifier, "default"),
  agent: agentSchema,
  user: userSchema,
  agents: agentsSchema,
  trusted_runtimes: trustedRuntimesSchema,
  environment: z.prefault(environment, {}),
  servers: z.record(id, server),
  trust: z
    ._default(z.record(id, signerSchema), {})
    .check(z.describe("Who may sign bundles, by a name of your own")),
  layers: z._default(z.array(layer), []),
  decisions: z.prefault(decisionsSchema, {}),
  policy: z.prefault(policy, {}),
  approvals: approvalsSchema,
  notify: notifySchema,
  classification: z
    .optional(classificationSchema)
    .check(z.describe("What the built-in detectors stand for, in arguments and results")),
  texts: textsSchema,
  http: z.prefault(http, {}),
  admin: adminSchema,
  metrics: metricsSchema,
  telemetry: telemetrySchema,
  state: stateSchema,
  state_key: z
    .optional(z.string().check(z.minLength(32)))
    .check(z.describe("Signs held calls and task ids; replicas share one. Default: made once")),
  registries: z._default(z.record(text, registry), {}),
});

/** The file's content, checked and with its defaults, still in the file's own names. */
export type ConfigFile = z.output<typeof configSchema>;
export type ServerEntry = ConfigFile["servers"][string];
export type PolicyEntry = ConfigFile["layers"][number]["policy"];
export type CompanionEntries = Pick<ConfigFile["layers"][number], "shadow" | "canary">;

/** JSON Schema (draft 7) of the file as an operator writes it. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: "input", target: "draft-7" });
  return { $schema, title: "mcp-gateway configuration", ...schema };
}

function wholeNumber(minimum: number, maximum: number): z.ZodMiniNumberFormat {
  return z.int().check(z.minimum(minimum), z.maximum(maximum));
}
