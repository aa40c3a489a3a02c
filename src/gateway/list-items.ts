/**
 * The lists that a client sees: the catalogue without what policy hides from this principal, and
 * without tools that changed since they were pinned.
 */
import type { ServerConfig } from "../config/config.ts";
import type { PolicyAction } from "../contract/policy-input.ts";
import type { Principal } from "../contract/principal.ts";
import type { Catalog } from "../mcp/catalog/catalog.ts";
import type { CatalogItem } from "../mcp/catalog/catalog-item.ts";
import { presentTool } from "../mcp/catalog/present-tool.ts";
import { actionAt, toolAction } from "./action/resolve.ts";
import { isBlocked } from "./action/stopped.ts";
import type { Client, ListKind, Listing } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";

/** Something that is listed, as policy and as the client see it. */
interface Candidate {
  readonly server: string;
  readonly seenAs: PolicyAction;
  readonly shown: Readonly<Record<string, unknown>>;
}

/** Lists what is visible, in catalogue order, under the exposed names. */
export async function listItems(
  parts: GatewayParts,
  client: Client,
  kind: ListKind,
): Promise<Listing> {
  await Promise.all([parts.fleet.settled(), parts.policiesReady]);
  const catalog = parts.fleet.catalogOf(client);
  const version = catalog.versions[kind];
  if (kind === "tools") parts.usage.lookAtTools(catalog.tools);
  if (isBlocked(parts, client.principal)) return { items: [], version };
  const candidates = candidatesOf(parts, client, kind, catalog);
  const servers = [...new Set(candidates.map(({ server }) => server))];
  const visible = await Promise.all(
    servers.map((server) =>
      visibleOf(
        parts,
        client.principal,
        candidates.filter((candidate) => candidate.server === server),
      ),
    ),
  );
  return { items: visible.flat().map(({ shown }) => shown), version };
}

async function visibleOf(
  parts: GatewayParts,
  principal: Principal,
  candidates: readonly Candidate[],
): Promise<readonly Candidate[]> {
  const actions = candidates.map(({ seenAs }) => seenAs);
  const sights = await parts.visibility.ofAll(principal, actions);
  return candidates.filter((_, index) => sights[index]?.isVisible === true);
}

function candidatesOf(
  { config }: GatewayParts,
  client: Client,
  kind: ListKind,
  catalog: Catalog,
): readonly Candidate[] {
  const items: readonly CatalogItem[] = catalog[kind];
  return items.flatMap((item) => {
    const server = config.servers.get(item.server);
    if (server === undefined || (item.kind === "tool" && item.isChanged)) return [];
    const shown = present(item, client.era);
    return [{ server: server.id, seenAs: itemAction(server, item), shown }];
  });
}

function itemAction(server: ServerConfig, item: CatalogItem): PolicyAction {
  switch (item.kind) {
    case "tool":
      return toolAction(server, item, "tool_call");
    case "prompt":
      return actionAt(server, "prompt_get", { prompt: item.name }, item.digest);
    case "resource":
      return actionAt(server, "resource_read", { uri: item.name }, item.digest);
    case "template":
      return actionAt(server, "resource_read", { uri_template: item.name }, item.digest);
  }
}

/** The item under the name that clients know. */
function present(item: CatalogItem, era: Client["era"]): Candidate["shown"] {
  const { exposedName } = item;
  switch (item.kind) {
    case "tool":
      return presentTool(item, era);
    case "prompt":
      return { ...item.shown, name: exposedName };
    case "resource":
      return { ...item.shown, uri: exposedName };
    case "template":
      return { ...item.shown, uriTemplate: exposedName };
  }
}
