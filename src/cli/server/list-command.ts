/**
 * `server list`: the servers of the configuration. Asks no server, and prints nothing of headers,
 * arguments, variables and query strings, where secrets may be.
 */
import { basename } from "node:path";
import { systemClock } from "../../config/ambient.ts";
import type { ServerConfig } from "../../config/config.ts";
import { resolveStatePaths } from "../../config/state-paths.ts";
import { listingKey } from "../../gateway/fleet/listing-store.ts";
import { compareTools } from "../../mcp/catalog/compare-tools.ts";
import { readCachedListing } from "../../mcp/catalog/listing-cache.ts";
import { readPins } from "../../mcp/catalog/pin-file.ts";
import type { LoginState } from "../../mcp/upstream/oauth/login-state.ts";
import { readLoginState } from "../../mcp/upstream/oauth/login-state.ts";
import { loadConfigFor } from "../common-options.ts";
import type { CliIo } from "../io.ts";
import { withLock } from "../locked-config.ts";
import type { OutputFormat } from "../print.ts";
import { printList } from "../print.ts";
import { oauthServerOf } from "./oauth-context.ts";

type AuthState = LoginState | "header" | "client_credentials";

interface ServerRow {
  readonly id: string;
  readonly transport: "stdio" | "http";
  /** URL without its query, or the program's name. */
  readonly target: string;
  readonly protocol: ServerConfig["protocol"];
  readonly sharing: ServerConfig["sharing"];
  readonly auth: AuthState;
  readonly disabled: boolean;
  /** Tools with a pin; `null` where pins cannot be read, and then all tools are denied. */
  readonly pinned: number | null;
  /** Tools that were not listed as they are pinned, the last time; `null` where none is known. */
  readonly changed: number | null;
}

const columns = [
  { title: "ID", cell: (row: ServerRow) => row.id },
  { title: "TRANSPORT", cell: (row: ServerRow) => row.transport },
  { title: "PROTOCOL", cell: (row: ServerRow) => row.protocol },
  { title: "SHARING", cell: (row: ServerRow) => row.sharing },
  { title: "AUTH", cell: (row: ServerRow) => row.auth.replaceAll("_", " ") },
  { title: "STATE", cell: (row: ServerRow) => (row.disabled ? "disabled" : "enabled") },
  { title: "PINNED", cell: (row: ServerRow) => row.pinned?.toString() ?? "unreadable" },
  { title: "CHANGED", cell: (row: ServerRow) => row.changed?.toString() ?? "-" },
  { title: "TARGET", cell: (row: ServerRow) => row.target },
];

/** Prints one row for each server, in the order of the file. */
export async function listCommand(
  io: CliIo,
  { config: path, output }: { readonly config?: string; readonly output: OutputFormat },
): Promise<void> {
  const { config } = await withLock(loadConfigFor(io, path));
  const { stateDir } = resolveStatePaths(io.env, io.cwd);
  const rows: ServerRow[] = [];
  for (const server of config.servers.values()) {
    const { id, transport, protocol, sharing, disabled } = server;
    const auth = await authOf(server, stateDir);
    rows.push({
      id,
      transport: transport.kind,
      target: targetOf(server),
      protocol,
      sharing,
      auth,
      disabled,
      ...(await pinsOf(server, stateDir)),
    });
  }
  printList(io, output, rows, columns);
}

function targetOf({ transport }: ServerConfig): string {
  if (transport.kind === "stdio") return basename(transport.command);
  const { origin, pathname, search } = new URL(transport.url);
  return `${origin}${pathname}${search === "" ? "" : "?…"}`;
}

async function authOf(server: ServerConfig, stateDir: string): Promise<AuthState> {
  const { transport } = server;
  const oauthServer = oauthServerOf(server);
  if (transport.kind === "stdio" || oauthServer === undefined) return "none";
  if (Object.keys(transport.headers).some((name) => name.toLowerCase() === "authorization")) {
    return "header";
  }
  const state = await readLoginState(stateDir, oauthServer, systemClock);
  if (transport.oauth?.grant === "client_credentials" && state !== "unusable") {
    return "client_credentials";
  }
  return state === "none" && transport.oauth !== undefined ? "needs_login" : state;
}

async function pinsOf(
  server: ServerConfig,
  stateDir: string,
): Promise<Pick<ServerRow, "pinned" | "changed">> {
  const pins = await readPins(stateDir, server.id);
  const kept = await readCachedListing(stateDir, server.id, listingKey(server));
  const known = kept.kind === "listing" ? compareTools(kept.listing.tools, pins) : undefined;
  const changed = known?.tools.filter(({ state }) => state === "changed").length;
  return { pinned: pins.ok ? pins.pins.size : null, changed: changed ?? null };
}
