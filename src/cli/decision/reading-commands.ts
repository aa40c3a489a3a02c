/**
 * The commands of `decision` that make something of what is recorded: `tail` follows it, `stats` counts
 * it, `explain` says in words why one was made. Each is loaded when it is asked for.
 */
import type { Command } from "commander";
import type { CliIo } from "../io.ts";
import { action } from "../io.ts";
import { withCommonOptions } from "../with-common-options.ts";
import { withFilterOptions } from "./decision-filter.ts";
import type { ExplainOptions } from "./explain-command.ts";
import type { StatsOptions } from "./stats-command.ts";
import type { TailOptions } from "./tail-command.ts";

/** Adds them. */
export function registerReadingCommands(decision: Command, io: CliIo): void {
  withFilterOptions(
    withCommonOptions(decision.command("tail").description("print the newest decisions")),
  )
    .option("-f, --follow", "go on with those that come, until it is interrupted")
    .option("-n, --lines <number>", "so many to begin with", "10")
    .action(
      action(io, async (options: TailOptions) => {
        const { tailCommand } = await import("./tail-command.ts");
        await tailCommand(io, options);
      }),
    );
  withCommonOptions(
    decision.command("stats").description("latency, denials and reasons over a time"),
  )
    .option("--since <time>", "RFC 3339, or how long ago: 15m, 2h, 7d", "24h")
    .option("--by <what>", "also for each tool, server, agent or reason")
    .action(
      action(io, async (options: StatsOptions) => {
        const { statsCommand } = await import("./stats-command.ts");
        await statsCommand(io, options);
      }),
    );
  withCommonOptions(decision.command("explain").description("say in words why a decision was made"))
    .argument("<id>", 'id, the beginning of one, or "last"')
    .action(
      action(io, async (id: string, options: ExplainOptions) => {
        const { explainCommand } = await import("./explain-command.ts");
        await explainCommand(io, id, options);
      }),
    );
}
