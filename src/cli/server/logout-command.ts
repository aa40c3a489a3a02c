/**
 * `server logout NAME`: revokes the tokens where the authorization server takes that, and forgets
 * them in any case.
 */
import { logout } from "../../mcp/upstream/oauth/logout.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import { createOauthContext } from "./oauth-context.ts";

/** Logs out of one server; being logged out already is no failure. */
export async function logoutCommand(
  io: CliIo,
  name: string,
  { config, output }: { readonly config?: string; readonly output: OutputFormat },
): Promise<void> {
  const context = createOauthContext(io, name, config);
  const { removed, revocation } = await logout(context, context.stateDir);
  if (revocation === "failed") {
    io.err(`warning: the tokens of ${name} are forgotten here, but could not be revoked`);
  }
  printDocument(io, output, { server: name, removed, revocation: revocation ?? null });
}
