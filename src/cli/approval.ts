/**
 * `mcp-gateway approval list|get|approve|deny|watch`: what held calls ask of people, and what people
 * say. Works on the store that the gateways use, so that no gateway has to be reached.
 */
import type { Command } from "commander";
import { getCommand } from "./approval/get-command.ts";
import { listCommand } from "./approval/list-command.ts";
import type { ListOptions } from "./approval/list-command.ts";
import { ruleCommand } from "./approval/rule-command.ts";
import type { RuleOptions } from "./approval/rule-command.ts";
import { watchCommand } from "./approval/watch-command.ts";
import type { WatchOptions } from "./approval/watch-command.ts";
import { withConfigOption } from "./common-options.ts";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import { withOutputOption } from "./print.ts";
import { withCommonOptions } from "./with-common-options.ts";

const idText = "id of the approval, or the end of one";
const whyText = "why, for the record and for the agent";

/** Adds the commands. */
export function registerApprovalCommands(program: Command, io: CliIo): void {
  const approval = program.command("approval").description("decide about calls that wait for you");
  withCommonOptions(approval.command("list").description("list what waits, newest first"))
    .option("--all", "also what was decided in the last day")
    .action(action(io, (options: ListOptions) => listCommand(io, options)));
  withCommonOptions(
    approval.command("get").description("print one request, with its arguments whole"),
  )
    .argument("<id>", idText)
    .action(action(io, (id: string, options: ListOptions) => getCommand(io, id, options)));
  withCommonOptions(approval.command("approve").description("let one call through, once"))
    .argument("<id>", idText)
    .option("--why <text>", whyText)
    .action(
      action(io, (id: string, options: RuleOptions) => ruleCommand(io, "approve", id, options)),
    );
  withCommonOptions(approval.command("deny").description("refuse a call"))
    .argument("<id>", idText)
    .option("--why <text>", whyText)
    .action(action(io, (id: string, options: RuleOptions) => ruleCommand(io, "deny", id, options)));
  withOutputOption(
    withConfigOption(approval.command("watch").description("print requests as they come")),
    "yaml",
  ).action(action(io, (options: WatchOptions) => watchCommand(io, options)));
}
