/**
 * Moves servers to another release while the gateway runs. What is on its way ends with the old
 * program; then nothing runs; then the policies turn; then the new program is met, its tools are read
 * and clients are told. Whoever asks for something meanwhile waits. Each step is safe by itself: what
 * was decided for one release goes to no program of another, whatever becomes of the next step.
 */
import type { ServerConfig } from "../config/config.ts";
import { messageOf } from "../errors.ts";
import type { GatewayParts } from "./parts.ts";

/** What other servers a gateway has from now on. */
export interface ServerChange {
  /** As the releases in the lock have them; their ids are those of configured servers. */
  readonly servers: readonly ServerConfig[];
  /** Has the bundles that belong to them made active; resolves when they are, or cannot be for now. */
  readonly turnPolicies: () => Promise<void>;
}

/** Moves them together; never rejects. `put` makes a server the one that requests find. */
export async function moveServers(
  { fleet, log }: Pick<GatewayParts, "fleet" | "log">,
  { servers, turnPolicies }: ServerChange,
  put: (server: ServerConfig) => void,
): Promise<void> {
  const moving = await Promise.all(
    servers.map(async (server) => ({ server, enter: await fleet.leave(server.id) })),
  );
  try {
    await turnPolicies();
  } catch (thrown) {
    log.error({ reason: messageOf(thrown) }, "policies of a release not turned");
  }
  for (const { server, enter } of moving) {
    put(server);
    await enter(server);
    log.info({ server: server.id, release: server.release?.version }, "server moved");
  }
}
