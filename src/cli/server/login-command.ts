/**
 * `server login NAME`: prints the URL of the login on stderr, in one line that programs may read,
 * opens it in a browser where somebody sits at the terminal, waits, and says what came of it.
 */
import { login } from "../../mcp/upstream/oauth/login.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import { printable } from "../printable.ts";
import { createOauthContext } from "./oauth-context.ts";
import { openBrowser } from "./open-browser.ts";

const timeoutMs = 5 * 60_000;

export interface LoginCommandOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  /** False with `--no-browser`. */
  readonly browser: boolean;
}

/** Logs in to one server. */
export async function loginCommand(
  io: CliIo,
  name: string,
  { config, output, browser }: LoginCommandOptions,
): Promise<void> {
  const context = createOauthContext(io, name, config);
  const isTerminal = io.columns !== undefined;
  const credential = await login({
    ...context,
    timeoutMs,
    showUrl: (url) => {
      io.err(`open this URL to log in: ${printable(url.href)}`);
      if (browser && isTerminal) openBrowser(url);
    },
  });
  const { tokens } = credential;
  printDocument(io, output, {
    server: name,
    issuer: credential.issuer,
    scopes: tokens.scopes,
    expires_at: tokens.expiresAtMs === undefined ? null : timeOf(tokens.expiresAtMs),
    renewable: tokens.refreshToken !== undefined,
  });
}

/** `null` for a time that no calendar has. */
function timeOf(epochMs: number): string | null {
  const time = new Date(epochMs);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
