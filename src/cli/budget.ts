/**
 * `mcp-gateway budget list|grant|reset`: counters and budgets that bundles declare, where they are
 * kept. No gateway has to run, and each one counts on from what a command leaves.
 */
import type { Command } from "commander";
import type { GrantOptions, ResetOptions } from "./budget/change-budget.ts";
import { grantCommand, resetCommand } from "./budget/change-budget.ts";
import type { ListOptions } from "./budget/list-budgets.ts";
import { listCommand } from "./budget/list-budgets.ts";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import { withCommonOptions } from "./with-common-options.ts";

/** Adds `budget list`, `budget grant` and `budget reset`. */
export function registerBudgetCommands(program: Command, io: CliIo): void {
  const budget = program.command("budget").description("counters and budgets of the policies");
  const keyHelp = "only of this value of its key, such as user=alice; may be given again";
  const withKey = (command: Command): Command =>
    withCommonOptions(command).option("--key <field=value>", keyHelp, collect, []);
  withKey(budget.command("list").description("list what is used and what is left"))
    .option("--layer <name>", "only of this server or layer")
    .action(action(io, (options: ListOptions) => listCommand(io, options)));
  withKey(budget.command("grant").description("raise one limit for a time"))
    .argument("<layer>", "server or layer whose policy declares it")
    .argument("<counter>", "its name")
    .requiredOption("--amount <number>", "how much more")
    .option("--for <time>", "90s, 15m, 12h or 7d (default: as long as its window is)")
    .option("--why <text>", "for the record; required")
    .action(
      action(io, (layer: string, counter: string, options: GrantOptions) =>
        grantCommand(io, { layer, counter }, options),
      ),
    );
  withKey(budget.command("reset").description("begin anew with nothing used or granted"))
    .argument("<layer>", "server or layer whose policy declares it")
    .argument("<counter>", "its name")
    .option("--all", "for every key")
    .option("--why <text>", "for the record; required")
    .action(
      action(io, (layer: string, counter: string, options: ResetOptions) =>
        resetCommand(io, { layer, counter }, options),
      ),
    );
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
