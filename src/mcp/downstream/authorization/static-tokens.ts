/**
 * Tokens that the operator handed out, known here by their SHA-256 alone.
 */
import { timingSafeEqual } from "node:crypto";
import type { StaticToken } from "../../../config/config.ts";
import type { Principal } from "../../../contract/principal.ts";
import { principalOf } from "../../../contract/principal.ts";

/** The principal of the token with this digest, `undefined` where nobody handed it out. */
export type FindStaticToken = (digest: Buffer) => Principal | undefined;

/** Makes the search. Each looks at every entry, so that its time does not tell which one matched. */
export function createStaticTokens(
  tokens: readonly StaticToken[],
  tenant: string,
): FindStaticToken {
  const entries = tokens.map((token) => ({
    digest: Buffer.from(token.sha256, "hex"),
    principal: principalOf({
      tenant,
      agent: token.agent,
      user: token.user,
      servers: token.servers && new Set(token.servers),
    }),
  }));
  return (digest) =>
    entries.filter((entry) => timingSafeEqual(entry.digest, digest)).at(0)?.principal;
}
