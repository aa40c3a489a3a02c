/**
 * `mcp-gateway waiver list`: the waivers of the overrides layers, with their use.
 */
import type { Command } from "commander";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import type { ListOptions } from "./waiver/list-command.ts";
import { listCommand } from "./waiver/list-command.ts";
import { withCommonOptions } from "./with-common-options.ts";

/** Adds `waiver list`. */
export function registerWaiverCommands(program: Command, io: CliIo): void {
  const waiver = program
    .command("waiver")
    .description("see what is let through in spite of a rule");
  withCommonOptions(
    waiver.command("list").description("list waivers, their end, their use and last use"),
  )
    .option("--since <time>", "uses since then: RFC 3339, or how long ago: 12h, 30d", "30d")
    .action(action(io, (options: ListOptions) => listCommand(io, options)));
}
