/**
 * Fetches the public keys of an issuer: from the configured address, or from the one that the
 * issuer's metadata names (RFC 8414 §3, OpenID Connect Discovery §4). Metadata of another issuer is
 * never used (RFC 8414 §3.3).
 */
import type { LocalJWKSet } from "jose";
import { createLocalJWKSet } from "jose";
import * as z from "zod/mini";
import type { Fetch, FetchProblem } from "./fetch-json.ts";
import { fetchJson, isLoopbackUrl, isSecureUrl } from "./fetch-json.ts";

export interface KeySource {
  /** Exact value of `iss`. */
  readonly issuer: string;
  /** `undefined`: from the issuer's metadata. */
  readonly jwksUri: string | undefined;
  readonly fetch: Fetch;
}

export type LoadedKeys = { readonly ok: true; readonly keys: LocalJWKSet } | KeyProblem;

/** Why there are no keys, for the log. */
export interface KeyProblem {
  readonly ok: false;
  readonly step: "metadata" | "keys";
  readonly problem: FetchProblem | "issuer_mismatch" | "unexpected_shape" | "address_refused";
  readonly status?: number;
}

const metadataSchema = z.looseObject({ issuer: z.string(), jwks_uri: z.string() });
const keySetSchema = z.looseObject({ keys: z.array(z.unknown()) });
const text = z.exactOptional(z.string());
/** Public members only: a private or symmetric key that an issuer shows is not even read. */
const keySchema = z.object({
  kty: z.string(),
  kid: text,
  alg: text,
  use: text,
  key_ops: z.exactOptional(z.array(z.string())),
  n: text,
  e: text,
  crv: text,
  x: text,
  y: text,
});

/** Loads the key set; never rejects. A key that cannot be read does not spoil the others. */
export async function loadKeys(source: KeySource): Promise<LoadedKeys> {
  const address = await findAddress(source);
  if (!address.ok) return address;
  const fetched = await fetchJson(source.fetch, address.jwksUri);
  if (!fetched.ok) return { ...fetched, step: "keys" };
  const set = keySetSchema.safeParse(fetched.value);
  if (!set.success) return { ok: false, step: "keys", problem: "unexpected_shape" };
  const keys = set.data.keys.flatMap((key) => {
    const parsed = keySchema.safeParse(key);
    return parsed.success ? [parsed.data] : [];
  });
  return { ok: true, keys: createLocalJWKSet({ keys }) };
}

type FoundAddress = { readonly ok: true; readonly jwksUri: string } | KeyProblem;

async function findAddress({ issuer, jwksUri, fetch }: KeySource): Promise<FoundAddress> {
  if (jwksUri !== undefined) return { ok: true, jwksUri };
  if (!isSecureUrl(issuer)) return refuse("insecure_url");
  let problem = refuse("unreachable");
  for (const address of metadataAddresses(issuer)) {
    const fetched = await fetchJson(fetch, address);
    const found = fetched.ok ? readMetadata(fetched.value, issuer) : withStep(fetched);
    if (found.ok) return found;
    problem = found;
    const isAway = found.problem === "unreachable" || found.problem === "timeout";
    if (isAway) break;
  }
  return problem;
}

function withStep(fetched: { readonly problem: FetchProblem; readonly status?: number }) {
  return { ...fetched, ok: false, step: "metadata" } as const;
}

function readMetadata(value: unknown, issuer: string): FoundAddress {
  const parsed = metadataSchema.safeParse(value);
  if (!parsed.success) return refuse("unexpected_shape");
  if (parsed.data.issuer !== issuer) return refuse("issuer_mismatch");
  const { jwks_uri: jwksUri } = parsed.data;
  if (!isSecureUrl(jwksUri)) return refuse("insecure_url");
  // Metadata from outside must not turn the gateway against its own machine.
  if (isLoopbackUrl(jwksUri) && !isLoopbackUrl(issuer)) return refuse("address_refused");
  return { ok: true, jwksUri };
}

function refuse(problem: KeyProblem["problem"]): KeyProblem {
  return { ok: false, step: "metadata", problem };
}

/** RFC 8414 §3.1 inserts before the path, OpenID Connect appends to it; both are in use. */
function metadataAddresses(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/, "");
  const inserted = ["oauth-authorization-server", "openid-configuration"].map(
    (name) => `${origin}/.well-known/${name}${path}`,
  );
  return path === ""
    ? inserted
    : [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}
