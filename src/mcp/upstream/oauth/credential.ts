/**
 * What the gateway keeps of a login: tokens, the client they were issued to, and the one issuer that
 * may ever see them again. On disk its members are snake_case; this file knows both.
 */
import * as z from "zod/mini";

const text = z.string().check(z.minLength(1));
const scopes = z.array(text);

const clientSchema = z.strictObject({
  kind: z.enum(["configured", "metadata_document", "registered"]),
  client_id: text,
  client_secret: z.optional(text),
  token_endpoint_auth_method: z.optional(text),
  redirect_uri: z.optional(text),
});

const credentialSchema = z.strictObject({
  version: z.literal(1),
  server: text,
  url: text,
  issuer: text,
  resource: text,
  resource_metadata_url: z.optional(text),
  client: clientSchema,
  access_token: z.optional(text),
  refresh_token: z.optional(text),
  obtained_at_ms: z.number(),
  expires_at_ms: z.optional(z.number()),
  scopes,
  wanted_scopes: scopes,
});

type CredentialFile = z.output<typeof credentialSchema>;

/** The client that an authorization server knows the gateway as. */
export interface OauthClient {
  /** `configured`: its secret is in the configuration and never here. */
  readonly kind: "configured" | "metadata_document" | "registered";
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly authMethod: string | undefined;
  readonly redirectUri: string | undefined;
}

/** Tokens as an authorization server gave them. */
export interface OauthTokens {
  /** `undefined` once they were refused. */
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  readonly obtainedAtMs: number;
  /** `undefined` where nothing was said. */
  readonly expiresAtMs: number | undefined;
  /** Granted, or asked for where the server did not say. */
  readonly scopes: readonly string[];
}

export interface Credential {
  readonly server: string;
  readonly url: string;
  readonly issuer: string;
  readonly resource: string;
  readonly resourceMetadataUrl: string | undefined;
  readonly client: OauthClient;
  readonly tokens: OauthTokens;
  /** What the server has asked for since; the next login asks for it too. */
  readonly wantedScopes: readonly string[];
}

/** The text of a credential's file. */
export function encodeCredential(credential: Credential): string {
  const { client, tokens } = credential;
  const file: CredentialFile = {
    version: 1,
    server: credential.server,
    url: credential.url,
    issuer: credential.issuer,
    resource: credential.resource,
    resource_metadata_url: credential.resourceMetadataUrl,
    client: {
      kind: client.kind,
      client_id: client.clientId,
      client_secret: client.kind === "configured" ? undefined : client.clientSecret,
      token_endpoint_auth_method: client.authMethod,
      redirect_uri: client.redirectUri,
    },
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    obtained_at_ms: tokens.obtainedAtMs,
    expires_at_ms: tokens.expiresAtMs,
    scopes: [...tokens.scopes],
    wanted_scopes: [...credential.wantedScopes],
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** The credential of a file's text; `undefined` where it is none of this version. */
export function decodeCredential(content: string): Credential | undefined {
  const parsed = credentialSchema.safeParse(parseJson(content));
  if (!parsed.success) return undefined;
  const file = parsed.data;
  return {
    server: file.server,
    url: file.url,
    issuer: file.issuer,
    resource: file.resource,
    resourceMetadataUrl: file.resource_metadata_url,
    client: {
      kind: file.client.kind,
      clientId: file.client.client_id,
      clientSecret: file.client.client_secret,
      authMethod: file.client.token_endpoint_auth_method,
      redirectUri: file.client.redirect_uri,
    },
    tokens: {
      accessToken: file.access_token,
      refreshToken: file.refresh_token,
      obtainedAtMs: file.obtained_at_ms,
      expiresAtMs: file.expires_at_ms,
      scopes: file.scopes,
    },
    wantedScopes: file.wanted_scopes,
  };
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
