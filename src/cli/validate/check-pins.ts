/**
 * Whether the pins of each server can be read. A file of pins that was changed by somebody else, or
 * is damaged, hides every tool of its server, and only the next listing would say so.
 */
import type { GatewayConfig } from "../../config/config.ts";
import { readPins } from "../../mcp/catalog/pin-file.ts";

/** A server whose pins do not hold, and what to do about it. */
export interface BrokenPins {
  readonly server: string;
  readonly reason: string;
}

/** Reads the pins of every server that is not disabled, one after the other. */
export async function checkPins(
  { servers }: Pick<GatewayConfig, "servers">,
  stateDir: string,
): Promise<readonly BrokenPins[]> {
  const broken: BrokenPins[] = [];
  for (const { id, disabled } of servers.values()) {
    if (disabled) continue;
    const reading = await readPins(stateDir, id);
    if (!reading.ok) broken.push({ server: id, reason: reading.reason });
  }
  return broken;
}
