/**
 * Reads what a person wants to block. What the configuration knows is checked, because a kill switch
 * with a misspelt name stops nothing and looks as if it did.
 */
import type { BlockSubject } from "./block.ts";
import { blockKinds } from "./block.ts";
import { BlockError } from "./block-error.ts";

const maxIdCharacters = 512;

/**
 * The subject of a kind and an id.
 *
 * @param servers - config ids; a server or tool has to be of one of them. Agents and users are named
 *   by tokens, of which nobody has a list
 * @throws BlockError `block_invalid`
 */
export function readSubject(kind: string, id: string, servers: readonly string[]): BlockSubject {
  const known = blockKinds.find((one) => one === kind);
  if (known === undefined) {
    throw invalid(`expected agent, user, server or tool to block, found "${kind.slice(0, 64)}"`);
  }
  if (id === "" || id.length > maxIdCharacters) {
    throw invalid(
      `expected the id of ${article(known)} ${known} of at most ${maxIdCharacters} characters`,
    );
  }
  if (known === "server") requireServer(id, servers);
  if (known === "tool") requireTool(id, servers);
  return { kind: known, id };
}

/** A server's id has no slash, a tool's name may. */
function requireTool(id: string, servers: readonly string[]): void {
  const slash = id.indexOf("/");
  if (slash <= 0 || slash === id.length - 1) {
    throw invalid(
      "expected a tool as SERVER/TOOL with the server's own name of it, such as crm/refund",
    );
  }
  requireServer(id.slice(0, slash), servers);
}

function requireServer(id: string, servers: readonly string[]): void {
  if (servers.includes(id)) return;
  const found = servers.length === 0 ? "none" : servers.join(", ");
  throw invalid(`expected a server of the configuration, which has ${found}`);
}

function article(kind: string): string {
  return kind === "agent" ? "an" : "a";
}

function invalid(message: string): BlockError {
  return new BlockError("block_invalid", message);
}
