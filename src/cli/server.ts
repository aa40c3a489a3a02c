/**
 * `mcp-gateway server list|pin|login|logout`: the upstream servers of the configuration, the pins of
 * their tools, and the gateway's own logins at those that want one. Exit codes: 2 a server or tool
 * that is not there or has no login, 7 a server or authorization server that does not answer, 8 one
 * that is not what it has to be, or pins that somebody changed, 9 not authorised.
 */
import type { Command } from "commander";
import { withConfigOption } from "./common-options.ts";
import { action, type CliIo } from "./io.ts";
import { withOutputOption, type OutputFormat } from "./print.ts";
import { listCommand } from "./server/list-command.ts";
import { loginCommand } from "./server/login-command.ts";
import { logoutCommand } from "./server/logout-command.ts";
import type { PinCommandOptions } from "./server/pin-command.ts";

interface Common {
  readonly config?: string;
  readonly output: OutputFormat;
}

/** Adds the noun `server` with its verbs. */
export function registerServerCommands(program: Command, io: CliIo): void {
  const server = program
    .command("server")
    .description("upstream servers: list, pin, login, logout");
  withCommonOptions(server.command("list"))
    .description("the servers of the configuration, and whether the gateway is logged in")
    .action(action(io, (options: Common) => listCommand(io, options)));
  withCommonOptions(server.command("pin"))
    .description(
      "compare the tools of a server with those that are pinned, and pin them as they are",
    )
    .argument("<name>", "id of the server in the configuration")
    .option("--tool <tool>", "the server's own name of a tool; may be repeated; default all", add)
    .option("--show", "pin nothing")
    .action(
      action(io, async (name: string, options: PinCommandOptions) => {
        const { pinCommand } = await import("./server/pin-command.ts");
        await pinCommand(io, name, options);
      }),
    );
  withCommonOptions(server.command("login"))
    .description("get tokens for a server that wants OAuth, through a browser")
    .argument("<name>", "id of the server in the configuration")
    .option("--no-browser", "print the URL and open nothing")
    .action(
      action(io, (name: string, options: Common & { browser: boolean }) =>
        loginCommand(io, name, options),
      ),
    );
  withCommonOptions(server.command("logout"))
    .description("revoke and forget the tokens of a server")
    .argument("<name>", "id of the server in the configuration")
    .action(action(io, (name: string, options: Common) => logoutCommand(io, name, options)));
}

function add(name: string, names: readonly string[] = []): readonly string[] {
  return [...names, name];
}

function withCommonOptions(command: Command): Command {
  return withOutputOption(withConfigOption(command));
}
