/**
 * `server pin NAME`: compares what a server lists now with what is pinned, and pins it. What changed
 * is printed leaf by leaf, whether it is pinned or only shown: a person decides here. The texts are
 * the server's and are printed with escapes.
 */
import { systemClock } from "../../config/ambient.ts";
import type { ComparedTool } from "../../mcp/catalog/compare-tools.ts";
import { compareTools } from "../../mcp/catalog/compare-tools.ts";
import type { PinReading } from "../../mcp/catalog/pin-file.ts";
import { readPins } from "../../mcp/catalog/pin-file.ts";
import { pinTools } from "../../mcp/catalog/tool-pins.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { withLock } from "../locked-config.ts";
import type { OutputFormat } from "../print.ts";
import { printable } from "../printable.ts";
import { findServer } from "./find-server.ts";
import { listTools } from "./list-tools.ts";
import { printTools } from "./print-tools.ts";

export interface PinCommandOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  /** Names of tools; default all. */
  readonly tool?: readonly string[];
  /** Pins nothing. */
  readonly show?: boolean;
}

/** Shows or pins the tools of one server. */
export async function pinCommand(
  io: CliIo,
  name: string,
  { config: path, output, tool: names = [], show }: PinCommandOptions,
): Promise<void> {
  const { config } = await withLock(loadConfigFor(io, path));
  const server = findServer(config, name);
  const stateDir = stateDirOf(io);
  const listed = await listTools(io, stateDir, config, server);
  const pins = await readPins(stateDir, name);
  const { tools, refused } = compareTools(listed.tools, pins);
  for (const item of refused) {
    io.err(`not exposed: ${printable(JSON.stringify(item.name))}, ${printable(item.reason)}`);
  }
  const chosen = choose(tools, names, name);
  const pending = chosen.filter(({ state }) => state !== "unchanged");
  if (show === true || pending.length === 0) return showTools(io, output, chosen, pins);
  if (!pins.ok && names.length > 0) throw new CliError(exitCodes.unverified, pins.reason);

  const wanted = names.length === 0 ? "all" : names;
  const seen = tools.map(({ tool }) => tool);
  const result = await pinTools({ stateDir, clock: systemClock }, name, seen, wanted);
  if (!result.ok) throw new CliError(exitCodes.unexpected, result.reason);
  printTools(io, output, pending);
  io.err(`pinned ${pending.length} of the ${tools.length} tools of server "${name}"`);
}

function choose(
  tools: readonly ComparedTool[],
  names: readonly string[],
  server: string,
): readonly ComparedTool[] {
  const known = new Set(tools.map(({ tool }) => tool.name));
  const missing = names.filter((name) => !known.has(name));
  if (missing.length > 0) {
    const list = missing.map((name) => JSON.stringify(name)).join(", ");
    const message = `expected tools that server "${server}" lists, by its own names, found ${list}`;
    throw new CliError(exitCodes.usage, message);
  }
  return names.length === 0 ? tools : tools.filter(({ tool }) => names.includes(tool.name));
}

function showTools(
  io: CliIo,
  output: OutputFormat,
  tools: readonly ComparedTool[],
  pins: PinReading,
): void {
  printTools(io, output, tools);
  if (!pins.ok) throw new CliError(exitCodes.unverified, pins.reason);
  const pending = tools.filter(({ state }) => state !== "unchanged").length;
  io.err(pending === 0 ? "every tool is as it was pinned" : `${pending} tools are not pinned so`);
}
