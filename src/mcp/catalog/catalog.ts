/**
 * The merged tools of all upstreams under the names that clients see. A tool is identified by its
 * server's config id and its exact name; an exposed name is looked up in a map and never split. Of
 * two tools whose exposed names collide after folding neither is exposed.
 */
import { sha256Of } from "../../contract/sha256.ts";
import type { ToolDefinition } from "./read-tool.ts";
import { readTool } from "./read-tool.ts";

export interface CatalogTool extends ToolDefinition {
  /** Config id of its server. */
  readonly server: string;
  /** What clients call it: `crm__get_customer`. */
  readonly exposedName: string;
}

/** What one server listed. */
export interface ServerListing {
  readonly server: string;
  readonly naming: "prefix" | "bare";
  readonly tools: readonly unknown[];
}

/** A tool that is not exposed, and why; for the operator's log. */
export interface RefusedTool {
  readonly server: string;
  readonly tool: string;
  readonly reason: string;
}

export interface Catalog {
  /** In the order of the config's servers, then of each server's list. */
  readonly tools: readonly CatalogTool[];
  readonly byExposedName: ReadonlyMap<string, CatalogTool>;
  readonly refused: readonly RefusedTool[];
  /** Digest of names and definitions in order; part of every cursor. */
  readonly version: string;
}

const maxExposedLength = 128;

export const emptyCatalog: Catalog = buildCatalog([]);

/**
 * Merges what the servers listed; pure, and the same for the same listings. A bare name that looks
 * like one of another of the `servers` (config ids) is refused, running or not.
 */
export function buildCatalog(
  listings: readonly ServerListing[],
  servers: readonly string[] = [],
): Catalog {
  const refused: RefusedTool[] = [];
  const candidates = listings.flatMap((listing) => readListing(listing, servers, refused));
  const clashing = findClashes(candidates);
  const tools = candidates.filter((tool) => {
    if (!clashing.has(tool.exposedName)) return true;
    const reason = `its exposed name "${tool.exposedName}" is used twice; set servers.${tool.server}.naming or rename one of them`;
    refused.push({ server: tool.server, tool: tool.name, reason });
    return false;
  });
  const byExposedName = new Map(tools.map((tool) => [tool.exposedName, tool]));
  const version = sha256Of(tools.map((tool) => `${tool.exposedName} ${tool.digest}`).join("\n"));
  return { tools, byExposedName, refused, version };
}

function readListing(
  listing: ServerListing,
  servers: readonly string[],
  refused: RefusedTool[],
): readonly CatalogTool[] {
  const tools: CatalogTool[] = [];
  for (const listed of listing.tools) {
    const reading = readTool(listed);
    if (!reading.ok) {
      refused.push({ server: listing.server, tool: reading.name, reason: reading.reason });
      continue;
    }
    const exposedName = exposeName(listing, reading.tool.name);
    const reason = nameProblem(listing, exposedName, servers);
    if (reason !== undefined) {
      refused.push({ server: listing.server, tool: reading.tool.name, reason });
      continue;
    }
    tools.push({ ...reading.tool, server: listing.server, exposedName });
  }
  return tools;
}

function nameProblem(
  listing: ServerListing,
  exposedName: string,
  servers: readonly string[],
): string | undefined {
  if (exposedName.length > maxExposedLength) {
    return `its exposed name is longer than ${maxExposedLength} characters`;
  }
  const owner = servers.find((id) => id !== listing.server && exposedName.startsWith(`${id}__`));
  return owner === undefined ? undefined : `its bare name begins like a tool of server "${owner}"`;
}

/** Folds to the characters that every client keeps. */
function exposeName(listing: ServerListing, tool: string): string {
  const folded = tool.replace(/[^A-Za-z0-9_-]/g, "_");
  return listing.naming === "bare" ? folded : `${listing.server}__${folded}`;
}

function findClashes(tools: readonly CatalogTool[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const clashing = new Set<string>();
  for (const { exposedName } of tools) {
    if (seen.has(exposedName)) clashing.add(exposedName);
    seen.add(exposedName);
  }
  return clashing;
}
