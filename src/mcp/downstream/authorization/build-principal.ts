/**
 * Verified claims become a principal by the issuer's claim mapping. Agent and user must be there; a
 * claim that the mapping names and that has another shape refuses the token, because leaving a
 * group or a parent out could allow more than keeping it.
 */
import type { IssuerConfig } from "../../../config/config.ts";
import type { Principal } from "../../../contract/principal.ts";
import { principalOf } from "../../../contract/principal.ts";
import { vouchedConversation } from "../../../contract/vouched-conversation.ts";
import { isRecord } from "../../../contract/json.ts";
import type { Refusal } from "./authentication.ts";
import { claimAt } from "./claim-at.ts";
import type { GrantedServers } from "./read-scopes.ts";

const maxTextLength = 256;
const maxListLength = 1000;
const agentClaims = ["client_id", "azp"];

export interface PrincipalSource {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly issuer: IssuerConfig;
  readonly tenant: string;
  readonly granted: Exclude<GrantedServers, "none">;
  /**
   * True where several issuers are accepted: ids of agents and users are then `issuer#id`, since
   * two issuers may give the same one. No issuer has a `#`, so no two of them are equal.
   */
  readonly qualified: boolean;
}

/** Builds the principal, or names the claim that stands in the way. */
export function buildPrincipal(
  source: PrincipalSource,
): { readonly ok: true; readonly principal: Principal } | Refusal {
  const { claims: mapping, issuer } = source.issuer;
  const read = createClaimReader(source);
  const agentId = read.text(agentClaimOf(source));
  const userId = read.text(mapping.user);
  const version = read.optionalText(mapping.agentVersion);
  const model = read.optionalText(mapping.agentModel);
  const parent = read.optionalText(mapping.parent);
  const scope = read.optionalText(mapping.agentScope);
  const ownerTeam = read.optionalText(mapping.ownerTeam);
  const groups = read.texts(mapping.groups);
  const conversation = read.optionalText(mapping.conversation);
  const authorized = read.texts(mapping.dataClassificationsAuthorized);
  const problem = read.problem();
  if (problem !== undefined) return problem;
  const idOf = (id: string): string => (source.qualified ? `${issuer}#${id}` : id);
  const principal = principalOf({
    tenant: source.tenant,
    agent: {
      id: idOf(agentId),
      version,
      scope,
      owner_team: ownerTeam,
      model,
      parent: parent === null ? null : idOf(parent),
      authenticated: true,
    },
    user: { id: idOf(userId), groups, data_classifications_authorized: authorized },
    servers: source.granted === "all" ? undefined : source.granted,
  });
  return { ok: true, principal: inConversation(principal, conversation) };
}

/** What the issuer signed is vouched for. */
function inConversation(principal: Principal, id: string | null): Principal {
  if (id === null) return principal;
  return { ...principal, conversation: vouchedConversation(principal.key, id) };
}

/** OAuth's and OpenID Connect's names of the client stand in for each other, others for nothing. */
function agentClaimOf({ claims, issuer }: PrincipalSource): string {
  const configured = issuer.claims.agent;
  if (!agentClaims.includes(configured) || claimAt(claims, configured) !== undefined) {
    return configured;
  }
  return agentClaims.find((name) => claimAt(claims, name) !== undefined) ?? configured;
}

/** Reads claims and remembers the first that is not what it has to be. */
function createClaimReader({ claims, issuer }: PrincipalSource) {
  let first: Refusal | undefined;
  const refuse = (reason: "claim_missing" | "claim_invalid", claim: string): void => {
    first ??= { ok: false, reason, claim, issuer: issuer.issuer };
  };
  const optionalText = (path: string | undefined): string | null => {
    const value = path === undefined ? undefined : claimAt(claims, path);
    if (path === undefined || value === undefined) return null;
    if (isText(value)) return value;
    refuse("claim_invalid", path);
    return null;
  };
  const text = (path: string): string => {
    const value = optionalText(path);
    if (value === null) refuse("claim_missing", path);
    return value ?? "";
  };
  const texts = (path: string | undefined): readonly string[] => {
    if (path === undefined) return [];
    const value = claimAt(claims, path);
    if (value === undefined && !isDistributed(claims, path)) return [];
    if (isTexts(value)) return value;
    refuse("claim_invalid", path);
    return [];
  };
  return { text, optionalText, texts, problem: (): Refusal | undefined => first };
}

/** True where the issuer says that the claim is elsewhere (OpenID Connect Core §5.6.2). */
function isDistributed(claims: Readonly<Record<string, unknown>>, path: string): boolean {
  const names = claims["_claim_names"];
  return isRecord(names) && Object.hasOwn(names, path);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= maxListLength && value.every(isText);
}

function isText(value: unknown): value is string {
  if (typeof value !== "string" || value === "" || value.length > maxTextLength) return false;
  return value.isWellFormed() && !/\p{Cc}/u.test(value);
}
