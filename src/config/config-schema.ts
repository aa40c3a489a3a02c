/**
 * The shape of `mcp-gateway.config.json`, once: it checks the file, and
 * `schema/mcp-gateway.schema.json` is generated from it for editors. Shapes and defaults only; what
 * depends on two keys or on the environment is in `config-rules.ts` and `expand-references.ts`.
 * Written against `zod/mini`, because every start pays for it: half the time of `zod`.
 */
import * as z from "zod/mini";
import { layerKinds } from "../contract/bundle.ts";

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

const organisationKinds = layerKinds.filter((kind) => kind !== "server");
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

const agent = z.strictObject({
  id: identifier.check(z.describe("Name of the agent in policies and records")),
  scope: nameOrNull,
  owner_team: nameOrNull,
  model: nameOrNull,
  parent: nameOrNull.check(z.describe("Agent that this one is a sub-agent of")),
});

const user = z.strictObject({
  id: identifier.check(z.describe("Person whom the agent acts for")),
  groups: noWords,
  data_classifications_authorized: noWords,
});

const environment = z.strictObject({
  region: nameOrNull,
  is_production: z._default(z.boolean(), true),
});

const policySource = z
  .union([text, z.strictObject({ bundle: text })])
  .check(z.describe("oci://HOST/REPOSITORY:TAG, oci-layout:PATH:TAG or file:PATH"));

const tool = z.strictObject({
  data_classes: noWords.check(z.describe("Floor of the data classes that a call touches")),
  labels: noWords.check(z.describe("Floor of the labels of a call and its result")),
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
  policy: z.optional(policySource),
  naming: z._default(z.enum(["prefix", "bare"]), "prefix"),
  ceiling: z
    .optional(words)
    .check(z.describe("Tools that the server's own bundle may grant at most")),
  region: nameOrNull,
  external: z
    ._default(z.boolean(), false)
    .check(z.describe("True where data leaves the organisation")),
  tools: z._default(z.record(text, tool), {}),
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

const layer = z.strictObject({
  name: id,
  kind: z.enum(organisationKinds),
  policy: policySource,
});

const decisions = z.strictObject({
  store: z._default(text, "embedded").check(z.describe('"embedded" or a postgres:// URL')),
  durability: z._default(z.enum(["sync", "async"]), "sync"),
  on_failure: z._default(z.enum(["fail_operation", "shutdown", "continue"]), "fail_operation"),
  spool_max_bytes: z.optional(wholeNumber(65_536, Number.MAX_SAFE_INTEGER)),
});

const policy = z.strictObject({
  deadline_ms: z._default(milliseconds, 250),
  input_max_bytes: z._default(wholeNumber(1_024, 67_108_864), 1_048_576),
  memory_max_mb: z._default(wholeNumber(16, 4_096), 64),
});

const registry = z.strictObject({ username: z.string(), password: z.string() });

const claimPath = text.check(z.describe("Name of a claim, or a path of names with dots"));

const issuer = z.strictObject({
  issuer: text.check(z.describe("Exact value of iss")),
  jwks_uri: z.optional(text).check(z.describe("Default: from the issuer's metadata")),
  audience: z.optional(words).check(z.describe("Default: http.public_url")),
  algorithms: z._default(z.array(z.enum(tokenAlgorithms)), ["RS256", "ES256", "PS256", "EdDSA"]),
  claims: z.prefault(
    z.strictObject({
      agent: z._default(claimPath, "client_id"),
      user: z._default(claimPath, "sub"),
      groups: z._default(claimPath, "groups"),
      data_classifications_authorized: z.optional(claimPath),
      agent_scope: z.optional(claimPath),
      owner_team: z.optional(claimPath),
      parent: z.optional(claimPath),
    }),
    {},
  ),
});

const token = z.strictObject({
  sha256: z
    .string()
    .check(z.regex(/^[0-9a-f]{64}$/, { error: "expected 64 lower-case hexadecimal digits" }))
    .check(z.describe("SHA-256 of the bearer token")),
  agent,
  user,
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
  agent,
  user,
  environment: z.prefault(environment, {}),
  servers: z.record(id, server),
  layers: z._default(z.array(layer), []),
  decisions: z.prefault(decisions, {}),
  policy: z.prefault(policy, {}),
  http: z.prefault(http, {}),
  state_key: z
    .optional(z.string().check(z.minLength(32)))
    .check(z.describe("Signs held calls and task ids; replicas share one. Default: made once")),
  registries: z._default(z.record(text, registry), {}),
});

/** The file's content, checked and with its defaults, still in the file's own names. */
export type ConfigFile = z.output<typeof configSchema>;
export type ServerEntry = ConfigFile["servers"][string];
export type PolicyEntry = ConfigFile["layers"][number]["policy"];

/** JSON Schema (draft 7) of the file as an operator writes it. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: "input", target: "draft-7" });
  return { $schema, title: "mcp-gateway configuration", ...schema };
}

function wholeNumber(minimum: number, maximum: number): z.ZodMiniNumberFormat {
  return z.int().check(z.minimum(minimum), z.maximum(maximum));
}
