/**
 * Whose turn it is to prune the payloads of a state folder: one gateway's a day. The time of the last
 * one is a file; whoever looks has the lock of the embedded database.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../contract/ambient.ts";
import { withEmbeddedLock } from "../../database/pglite.ts";
import { readStateFile, writeStateFile } from "../../database/state-file.ts";

const leastMs = 20 * 60 * 60_000;
const maxBytes = 1024;

/**
 * True where nobody has taken it today. What cannot be read, or lies ahead, was nobody's.
 *
 * @throws DatabaseError `database_locked`
 */
export async function takePayloadTurn(stateDir: string, clock: Clock): Promise<boolean> {
  return await withEmbeddedLock(stateDir, { clock }, async () => {
    const reading = await readStateFile(turnPath(stateDir), maxBytes);
    const takenMs = reading.kind === "text" ? Date.parse(reading.text) : Number.NaN;
    const agoMs = clock.nowMs() - takenMs;
    if (agoMs >= 0 && agoMs < leastMs) return false;
    await writeStateFile(turnPath(stateDir), new Date(clock.nowMs()).toISOString());
    return true;
  });
}

/** For who took it and did not get through. */
export async function leavePayloadTurn(stateDir: string): Promise<void> {
  await rm(turnPath(stateDir), { force: true });
}

function turnPath(stateDir: string): string {
  return join(stateDir, "payloads-pruned");
}
