/**
 * Asks a token service for a bearer token (distribution specification, "token authentication"):
 * `GET` with a password or as nobody, `POST` with a refresh token. No redirect is followed, little
 * is read, and what comes back is a token that fits into a header or nothing.
 */
import type { Dispatcher } from "undici";
import { request } from "undici";
import * as z from "zod";
import { codeOf, messageOf } from "../../errors.ts";
import { BundleError, unexpected } from "../bundle-error.ts";
import { parseJson } from "../parse-json.ts";
import type { Credentials } from "./credentials.ts";
import { readLimited } from "./registry-body.ts";

/** What is asked for, of whom. */
export interface TokenRequest {
  /** Checked before. */
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scope: string;
  readonly credentials: Exclude<Credentials, { readonly token: string }> | undefined;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
  /** Reference for messages. */
  readonly where: string;
}

/** A bearer token and how long it is good for. */
export interface BearerToken {
  readonly token: string;
  readonly forMs: number;
}

const maxTokenBytes = 128 * 1024;
const defaultSeconds = 60;
const tokenPattern = /^[A-Za-z0-9._~+/-]+=*$/;
const answerSchema = z.looseObject({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});

/**
 * Gets a token.
 *
 * @throws BundleError `bundle_unauthorized` where the service refuses, `bundle_unreachable`,
 *   `bundle_protocol_invalid`, `bundle_too_large`
 */
export async function requestToken(wanted: TokenRequest): Promise<BearerToken> {
  const { statusCode, body } = await ask(wanted);
  if (statusCode !== 200) throw refusal(wanted, statusCode);
  const answer = answerSchema.safeParse(parseJson(body));
  const token = answer.data?.token ?? answer.data?.access_token ?? "";
  if (!tokenPattern.test(token)) {
    throw invalid(wanted, "an answer with a bearer token", "another one");
  }
  const seconds = Math.min(Math.max(answer.data?.expires_in ?? defaultSeconds, 0), 86_400);
  return { token, forMs: seconds * 1000 };
}

async function ask(
  wanted: TokenRequest,
): Promise<{ readonly statusCode: number; readonly body: Buffer }> {
  const { realm, credentials, dispatcher, signal, where } = wanted;
  const common = { dispatcher, signal };
  try {
    const response =
      credentials !== undefined && "identityToken" in credentials
        ? await request(realm, { ...common, ...refresh(wanted, credentials.identityToken) })
        : await request(askedUrl(wanted), { ...common, headers: headersFor(credentials) });
    const { statusCode, headers } = response;
    return { statusCode, body: await readLimited(where, response, headers, maxTokenBytes) };
  } catch (thrown) {
    if (thrown instanceof BundleError) throw thrown;
    const reason = codeOf(thrown) ?? messageOf(thrown);
    const message = `${where}: expected an answer from the token service ${realm.origin}, got none (${reason})`;
    throw new BundleError("bundle_unreachable", message, { cause: thrown });
  }
}

const plainHeaders = { accept: "application/json", "accept-encoding": "identity" };

function headersFor(
  credentials: { readonly username: string; readonly password: string } | undefined,
): Readonly<Record<string, string>> {
  if (credentials === undefined) return { ...plainHeaders, "user-agent": "mcp-gateway" };
  const pair = Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");
  return { ...plainHeaders, "user-agent": "mcp-gateway", authorization: `Basic ${pair}` };
}

function askedUrl({ realm, service, scope }: TokenRequest): URL {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  if (scope !== "") url.searchParams.set("scope", scope);
  return url;
}

function refresh({ service, scope }: TokenRequest, identityToken: string) {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: identityToken,
    client_id: "mcp-gateway",
    ...(service === undefined ? {} : { service }),
    ...(scope === "" ? {} : { scope }),
  });
  return {
    method: "POST",
    body: form.toString(),
    headers: { ...headersFor(undefined), "content-type": "application/x-www-form-urlencoded" },
  } as const;
}

function refusal(wanted: TokenRequest, status: number): BundleError {
  const message = `${wanted.where}: expected a token from ${wanted.realm.origin}, found status ${status}`;
  if (status >= 300 && status < 400) {
    return invalid(wanted, "a token", "a redirect, which is not followed");
  }
  if (status === 429 || status >= 500) {
    return new BundleError("bundle_unreachable", `${message}; try again later`);
  }
  const advice =
    wanted.credentials === undefined
      ? "it gives none to nobody; run mcp-gateway login, or set registries in the config"
      : "the credentials are wrong, or may not do that";
  return new BundleError("bundle_unauthorized", `${message}; ${advice}`);
}

function invalid({ where, realm }: TokenRequest, expected: string, found: string): BundleError {
  return unexpected("bundle_protocol_invalid", `${where}: ${realm.origin}`, expected, found);
}
