/**
 * Says where a block may stop nothing because its name is misspelt. Nothing is refused: a tool that the
 * server has only at times has to be stoppable before it comes.
 */
import { suggestKey } from "../../config/suggest-key.ts";
import type { BlockSubject } from "../../gateway/blocks/block.ts";
import { readPins } from "../../mcp/catalog/pin-file.ts";
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
