/**
 * Who a bearer token belongs to. Tokens are known by their SHA-256 alone; each search looks at every
 * entry, so that its time does not tell which one matched.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { AdminToken } from "../config/admin-config.ts";
import type { AdminCaller } from "./admin-route.ts";

/** The caller of an `Authorization` header; `undefined` for everybody else. */
export function findToken(
  tokens: readonly AdminToken[],
  header: string | undefined,
): AdminCaller | undefined {
  const [, token] = /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(header ?? "") ?? [];
  if (token === undefined) return undefined;
  const digest = createHash("sha256").update(token).digest();
  const matching = tokens.filter(({ sha256 }) =>
    timingSafeEqual(Buffer.from(sha256, "hex"), digest),
  );
  const [found] = matching;
  return found && { name: found.name, via: "token", roles: found.roles };
}
