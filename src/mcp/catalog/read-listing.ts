/**
 * Reads what one server listed into items under the names that clients see. Each item is judged on
 * its own; how items of several servers get along is for the catalogue to say.
 */
import type {
  CatalogItem,
  CatalogPrompt,
  CatalogResource,
  CatalogTemplate,
  CatalogTool,
  RefusedItem,
} from "./catalog-item.ts";
import { usualTexts } from "../../config/texts-schema.ts";
import { cleanDefinition } from "./clean-definition.ts";
import { exposeName, nameProblem } from "./expose-name.ts";
import type { PinReading } from "./pin-file.ts";
import type { Definition, ItemReading, ReadItem } from "./read-item.ts";
import { readPrompt } from "./read-prompt.ts";
import { readResource, readTemplate } from "./read-resource.ts";
import type { TemplateDefinition } from "./read-resource.ts";
import { readTool } from "./read-tool.ts";
import type { ToolDefinition } from "./read-tool.ts";
import type { NamedServer } from "./resource-uri.ts";
import { exposeUri, uriProblem } from "./resource-uri.ts";
import { renameUiResources } from "./ui-resource.ts";

/** What one server listed. */
export interface ServerListing {
  /** Config id. */
  readonly server: string;
  readonly tools: readonly unknown[];
  readonly prompts: readonly unknown[];
  readonly resources: readonly unknown[];
  readonly resourceTemplates: readonly unknown[];
  /** `undefined` where definitions are not pinned. */
  readonly pins?: PinReading | undefined;
}

/** A listing, and the configuration around it. */
export interface ListingSource {
  readonly listing: ServerListing;
  /** The server that listed. */
  readonly server: NamedServer;
  /** All servers that are configured, running or not. */
  readonly servers: readonly NamedServer[];
}

export interface ReadListing {
  readonly tools: readonly CatalogTool[];
  readonly prompts: readonly CatalogPrompt[];
  readonly resources: readonly CatalogResource[];
  readonly resourceTemplates: readonly CatalogTemplate[];
  readonly refused: readonly RefusedItem[];
}

/** A catalogue is built anew whenever one server lists; the others' listings are read already. */
const known = new WeakMap<ServerListing, ListingSource & { readonly read: ReadListing }>();

/** Reads all four lists; never throws. A listing is not to be changed once it was read. */
export function readListing(source: ListingSource): ReadListing {
  const before = known.get(source.listing);
  if (before?.server === source.server && before.servers === source.servers) return before.read;
  const read = readLists(source);
  known.set(source.listing, { ...source, read });
  return read;
}

function readLists(source: ListingSource): ReadListing {
  const { listing } = source;
  const tools = readAll(source, "tool", listing.tools, toolReader(source));
  const prompts = readAll(source, "prompt", listing.prompts, promptReader(source));
  const resources = readAll(source, "resource", listing.resources, resourceReader(source));
  const templates = readAll(source, "template", listing.resourceTemplates, templateReader(source));
  return {
    tools: tools.items,
    prompts: prompts.items,
    resources: resources.items,
    resourceTemplates: templates.items,
    refused: [tools, prompts, resources, templates].flatMap(({ refused }) => refused),
  };
}

/** How a definition of one kind becomes an item, and why an item cannot be exposed. */
interface Reader<Own extends ReadItem, Item extends CatalogItem> {
  readonly read: (listed: unknown) => ItemReading<Own>;
  /** Members that are there to be read, beside the usual ones. */
  readonly words?: readonly string[];
  /** `shown`: its definition as clients may read it. */
  readonly expose: (own: Own, shown: Definition) => Item;
  readonly problemOf: (item: Item) => string | undefined;
}

function toolReader({ listing, ...source }: ListingSource): Reader<ToolDefinition, CatalogTool> {
  const { server } = source;
  return {
    read: readTool,
    expose: (tool, readable) => {
      const exposedName = exposeName(server, tool.name);
      const shown = renameUiResources(readable, (uri) => exposeUri(server, uri));
      return {
        ...tool,
        kind: "tool",
        server: server.id,
        exposedName,
        shown: { ...shown, name: exposedName },
        isChanged: isChanged(listing.pins, tool),
      };
    },
    problemOf: ({ exposedName }) => nameProblem(server, exposedName, source.servers),
  };
}

function promptReader({ server, servers }: ListingSource): Reader<ReadItem, CatalogPrompt> {
  return {
    read: readPrompt,
    expose: (prompt, shown) => {
      const exposedName = exposeName(server, prompt.name);
      return { ...prompt, kind: "prompt", server: server.id, exposedName, shown };
    },
    problemOf: ({ exposedName }) => nameProblem(server, exposedName, servers),
  };
}

function resourceReader({ server, servers }: ListingSource): Reader<ReadItem, CatalogResource> {
  return {
    read: readResource,
    words: displayName,
    expose: (resource, shown) => {
      const exposedName = exposeUri(server, resource.name);
      return { ...resource, kind: "resource", server: server.id, exposedName, shown };
    },
    problemOf: ({ exposedName }) => uriProblem(server, exposedName, servers),
  };
}

function templateReader(source: ListingSource): Reader<TemplateDefinition, CatalogTemplate> {
  const { server, servers } = source;
  return {
    read: readTemplate,
    words: displayName,
    expose: (template, shown) => {
      const exposedName = exposeUri(server, template.name);
      return { ...template, kind: "template", server: server.id, exposedName, shown };
    },
    problemOf: ({ exposedName }) => uriProblem(server, exposedName, servers),
  };
}

/** What a resource is called; it is known by its URI. */
const displayName = ["name"];

function readAll<Own extends ReadItem, Item extends CatalogItem>(
  { server: { id: server, texts = usualTexts } }: ListingSource,
  kind: Item["kind"],
  listed: readonly unknown[],
  reader: Reader<Own, Item>,
): { readonly items: readonly Item[]; readonly refused: readonly RefusedItem[] } {
  const items: Item[] = [];
  const refused: RefusedItem[] = [];
  for (const one of listed) {
    const reading = reader.read(one);
    if (!reading.ok) {
      refused.push({ server, kind, name: reading.name, reason: reading.reason });
      continue;
    }
    const { name, definition } = reading.item;
    const cleaned = cleanDefinition(definition, texts, reader.words);
    if (!cleaned.ok) {
      refused.push({ server, kind, name, reason: cleaned.reason });
      continue;
    }
    const item = reader.expose(reading.item, cleaned.definition);
    const reason = reader.problemOf(item);
    if (reason === undefined) items.push(item);
    else refused.push({ server, kind, name, reason });
  }
  return { items, refused };
}

function isChanged(pins: PinReading | undefined, tool: ToolDefinition): boolean {
  if (pins === undefined) return false;
  return !pins.ok || pins.pins.get(tool.name)?.digest !== tool.digest;
}
