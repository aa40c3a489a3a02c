/**
 * `mcp-gateway server list|pin|login|logout|release|upgrade|rollback`: the upstream servers of the
 * configuration, the pins of their tools, the gateway's own logins at those that want one, and
 * releases of program, pins and bundle together. Exit codes: 2 a server or tool
 * that is not there or has no login, 7 a server or authorization server that does not answer, 8 one
 * that is not what it has to be, or pins that somebody changed, 9 not authorised.
 */
import type { Command } from "commander";
import { withConfigOption } from "./common-options.ts";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import type { OutputFormat } from "./print.ts";
import { listCommand } from "./server/list-command.ts";
import { loginCommand } from "./server/login-command.ts";
import { logoutCommand } from "./server/logout-command.ts";
import type { PinCommandOptions } from "./server/pin-command.ts";
import type { ReleaseOptions } from "./server/release-command.ts";
import type { ServerRollbackOptions } from "./server/rollback-command.ts";
import type { UpgradeOptions } from "./server/upgrade-command.ts";
import { withCommonOptions } from "./with-common-options.ts";

interface Common {
  readonly config?: string;
  readonly output: OutputFormat;
}

/** Adds the noun `server` with its verbs. */
export function registerServerCommands(program: Command, io: CliIo): void {
  const server = program
    .command("server")
    .description("upstream servers: list, pin, log in, release, upgrade, roll back");
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
  addReleases(server, io);
}

/** Program, pins and bundle of a server, together. Their parts are loaded with the first use. */
function addReleases(server: Command, io: CliIo): void {
  withConfigOption(server.command("release"))
    .description("make a release: a program, the tools that it lists, and the server's bundle")
    .argument("<name>", "id of the server in the configuration")
    .option("--package <name@version>", "the program, where it is a package")
    .option("--image <name@digest>", "the program, where it is an image")
    .option("--push <reference>", "oci://HOST/REPOSITORY:TAG or oci-layout:PATH:TAG")
    .option("-f, --file <file>", "write it there")
    .option("--layers", "bind the bundles of the organisation's layers too")
    .option("--agent <id@version>", "who may use it; may be repeated; default every agent", add)
    .action(
      action(io, async (name: string, options: ReleaseOptions) => {
        const { releaseCommand } = await import("./server/release-command.ts");
        await releaseCommand(io, name, options);
      }),
    );
  withCommonOptions(server.command("upgrade"))
    .description("move program, pins and bundle to a release, all of it or nothing")
    .argument("<name>", "id of the server in the configuration")
    .argument("[reference]", "of the release; default servers.NAME.release")
    .option("--why <text>", "for the record; required")
    .action(
      action(io, async (name: string, reference: string | undefined, options: UpgradeOptions) => {
        const { upgradeCommand } = await import("./server/upgrade-command.ts");
        await upgradeCommand(io, name, reference, options);
      }),
    );
  withCommonOptions(server.command("rollback"))
    .description("back to the release before, from this machine alone")
    .argument("<name>", "id of the server in the configuration")
    .option("--to <version>", "version or digest of a release that the lock knows")
    .option("--why <text>", "for the record; required")
    .action(
      action(io, async (name: string, options: ServerRollbackOptions) => {
        const { serverRollbackCommand } = await import("./server/rollback-command.ts");
        await serverRollbackCommand(io, name, options);
      }),
    );
}

function add(name: string, names: readonly string[] = []): readonly string[] {
  return [...names, name];
}
