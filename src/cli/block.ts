/**
 * `mcp-gateway block agent|user|server|tool ID`, `block list` and `block lift`: stops somebody or
 * something on every gateway that shares the store, without any of them having to be reached.
 */
import type { Command } from "commander";
import { blockKinds } from "../gateway/blocks/block.ts";
import type { BlockOptions } from "./block/change-block.ts";
import { blockCommand, liftCommand } from "./block/change-block.ts";
import type { ListOptions } from "./block/list-blocks.ts";
import { listCommand } from "./block/list-blocks.ts";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import { withCommonOptions } from "./with-common-options.ts";

const ids = {
  agent: "id of the agent, in every token and configuration",
  user: "id of the user",
  server: "id of the server in the configuration",
  tool: "SERVER/TOOL, with the server's own name of it",
} as const;

/** Adds the commands. */
export function registerBlockCommands(program: Command, io: CliIo): void {
  const block = program.command("block").description("stop an agent, a user, a server or a tool");
  for (const kind of blockKinds) {
    withCommonOptions(
      block.command(kind).description(`stop ${kind === "agent" ? "an" : "a"} ${kind}`),
    )
      .argument("<id>", ids[kind])
      .option("--why <text>", "for the record; the client does not see it")
      .option("--local", "on this machine alone, where the shared store is away")
      .action(
        action(io, (id: string, options: BlockOptions) => blockCommand(io, kind, id, options)),
      );
  }
  withCommonOptions(block.command("list").description("list what is stopped")).action(
    action(io, (options: ListOptions) => listCommand(io, options)),
  );
  withCommonOptions(block.command("lift").description("end a block"))
    .argument("<kind>", blockKinds.join(", "))
    .argument("<id>", "as it was blocked")
    .option("--why <text>", "for the record; required")
    .option("--local", "on this machine alone, where the shared store is away")
    .action(
      action(io, (kind: string, id: string, options: BlockOptions) =>
        liftCommand(io, kind, id, options),
      ),
    );
}
