/**
 * The items of the merged catalogue: what a server listed, whose it is and under which name clients
 * see it. An item's name is its server's own and exact: a name, a URI or a URI template.
 */
import type { Definition, ReadItem } from "./read-item.ts";
import type { TemplateDefinition } from "./read-resource.ts";
import type { ToolDefinition } from "./read-tool.ts";

interface Exposed extends ReadItem {
  /** Config id of its server. */
  readonly server: string;
  /** What clients call it: `crm__get_customer`; a URI as it is, or with its server in front. */
  readonly exposedName: string;
  /** Its definition as clients may read it; a tool's is under exposed names already. */
  readonly shown: Definition;
}

export interface CatalogTool extends Exposed, ToolDefinition {
  readonly kind: "tool";
  /** True where its definition is not the pinned one: not listed, and denied with `tool_changed`. */
  readonly isChanged: boolean;
}

export interface CatalogPrompt extends Exposed {
  readonly kind: "prompt";
}

export interface CatalogResource extends Exposed {
  readonly kind: "resource";
}

export interface CatalogTemplate extends Exposed, TemplateDefinition {
  readonly kind: "template";
}

export type CatalogItem = CatalogTool | CatalogPrompt | CatalogResource | CatalogTemplate;

/** An item that is not exposed, and why; for the operator's log. */
export interface RefusedItem {
  readonly server: string;
  readonly kind: CatalogItem["kind"];
  /** Its own name or URI, as far as it has one. */
  readonly name: string;
  readonly reason: string;
}
