/**
 * Scopes as lists of distinct tokens (RFC 6749 §3.3), and which of them to ask for.
 */
import type { Challenge } from "./challenge.ts";
import type { UpstreamOauth } from "../../../config/config.ts";

const token = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;
const maxScopes = 64;

/** The scopes of a `scope` value, each once; what is no scope is left out. */
export function scopesIn(text: string | undefined): readonly string[] {
  return unionOf((text ?? "").split(" "));
}

/** Distinct scopes in the order of their first appearance, at most 64. */
export function unionOf(...lists: readonly (readonly string[])[]): readonly string[] {
  const distinct = new Set(lists.flat().filter((scope) => token.test(scope)));
  return [...distinct].slice(0, maxScopes);
}

/** True where `wanted` names something that is not in `held`. */
export function goesBeyond(wanted: readonly string[], held: readonly string[]): boolean {
  return wanted.some((scope) => !held.includes(scope));
}

/** The value of a `scope` parameter; `undefined` leaves it out, so that the server decides. */
export function scopeText(scopes: readonly string[]): string | undefined {
  return scopes.length === 0 ? undefined : scopes.join(" ");
}

export interface ScopeSources {
  readonly settings: UpstreamOauth;
  readonly challenge: Challenge;
  /** `scopes_supported` of the protected resource. */
  readonly ofResource: readonly string[];
  /** `scopes_supported` of the authorization server. */
  readonly ofAuthorizationServer: readonly string[];
  /** Held before, or asked for by the server since: a new grant does not lose them. */
  readonly accumulated: readonly string[];
}

/**
 * What to ask for: what the operator says, else the server's challenge, else what the resource has;
 * with what was accumulated, and with `offline_access` where a refresh token takes that.
 */
export function selectScopes(sources: ScopeSources): readonly string[] {
  const { settings, challenge, ofResource, ofAuthorizationServer, accumulated } = sources;
  const choices = [settings.scopes, challenge.scopes, accumulated, ofResource];
  const first = choices.find((scopes) => scopes.length > 0) ?? [];
  const chosen = unionOf(accumulated, first);
  const offline =
    settings.grant === "authorization_code" &&
    chosen.length > 0 &&
    ofAuthorizationServer.includes("offline_access");
  return offline ? unionOf(chosen, ["offline_access"]) : chosen;
}
