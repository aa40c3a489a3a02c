/**
 * Says where a block may stop nothing because its name is misspelt. Nothing is refused: a tool that the
 * server has only at times has to be stoppable before it comes, and so has somebody who never called.
 */
import type { GatewayConfig } from "../../config/config.ts";
import type { Queryable } from "../../database/database.ts";
import { suggestKey } from "../../config/suggest-key.ts";
import type { BlockSubject } from "../../gateway/blocks/block.ts";
import { readPins } from "../../mcp/catalog/pin-file.ts";
import { withStore } from "../decision/with-store.ts";
import type { CliIo } from "../io.ts";

/** Warns of a tool that no gateway with this state folder has ever seen at a server it knows. */
export async function warnUnseen(
  io: Pick<CliIo, "err">,
  stateDir: string,
  { kind, id }: BlockSubject,
): Promise<void> {
  if (kind !== "tool") return;
  const [server = "", ...rest] = id.split("/");
  const reading = await readPins(stateDir, server);
  const tool = rest.join("/");
  if (!reading.ok || reading.pins.size === 0 || reading.pins.has(tool)) return;
  const meant = suggestKey(tool, [...reading.pins.keys()]);
  const hint = meant === undefined ? "" : `; did you mean ${server}/${meant}?`;
  io.err(`warning: "${server}" has listed no tool "${tool}" so far; the block holds${hint}`);
}

/** `$1` tenant, `$2` id; newest first, because whoever is stopped has called of late. */
const selectCalls = {
  agent: `
SELECT 1 FROM mcp_gateway.decision
WHERE agent = $2 AND tenant = $1 ORDER BY decision_id DESC LIMIT 1`,
  user: `
SELECT 1 FROM mcp_gateway.decision
WHERE user_id = $2 AND tenant = $1 ORDER BY decision_id DESC LIMIT 1`,
};

/**
 * Warns of an agent or a user whom the configuration does not name and no decision is about. Call it
 * once the block stands: it looks into the store of decisions, and says nothing where it cannot.
 */
export async function warnStranger(
  io: CliIo,
  configPath: string | undefined,
  config: Pick<GatewayConfig, "tenant" | "agent" | "agents" | "user">,
  { kind, id }: BlockSubject,
): Promise<void> {
  if (kind !== "agent" && kind !== "user") return;
  const { tenant, agent, agents, user } = config;
  const isNamed = kind === "user" ? user.id === id : agent.id === id || agents.has(id);
  if (isNamed) return;
  const hasCalled = async (store: Queryable): Promise<boolean> =>
    (await store.query(selectCalls[kind], [tenant, id])).length > 0;
  const isKnown = await withStore(io, configPath, hasCalled).catch(() => true);
  if (!isKnown) io.err(`warning: no call of ${kind} "${id}" was seen so far; the block holds`);
}
