/**
 * `mcp-gateway server list|login|logout`: the upstream servers of the configuration, and the
 * gateway's own logins at those that want one. Exit codes: 2 a server that is not in the
 * configuration or has no login, 7 an authorization server that is not there, 8 one that is not what
 * it has to be, 9 not authorised.
 */
import type { Command } from "commander";
import { withConfigOption } from "./common-options.ts";
import { action, type CliIo } from "./io.ts";
import { withOutputOption, type OutputFormat } from "./print.ts";
import { listCommand } from "./server/list-command.ts";
import { loginCommand } from "./server/login-command.ts";
import { logoutCommand } from "./server/logout-command.ts";

interface Common {
  readonly config?: string;
  readonly output: OutputFormat;
}

/** Adds the noun `server` with its verbs. */
export function registerServerCommands(program: Command, io: CliIo): void {
  const server = program.command("server").description("upstream servers: list, login, logout");
  withCommonOptions(server.command("list"))
    .description("the servers of the configuration, and whether the gateway is logged in")
    .action(action(io, (options: Common) => listCommand(io, options)));
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

function withCommonOptions(command: Command): Command {
  return withOutputOption(withConfigOption(command));
}
