/**
 * `mcp-gateway login REGISTRY` and `logout REGISTRY`: logins at registries, kept where Docker and
 * Podman keep theirs. Exit codes: 7 a registry that is not there, 9 one that refuses.
 */
import type { Command } from "commander";
import { createBundleContext } from "./bundle/bundle-context.ts";
import { withConfigOption } from "./common-options.ts";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import { loginCommand } from "./login/login-command.ts";
import { logoutCommand } from "./login/logout-command.ts";

interface LoginOptions {
  readonly config?: string;
  readonly username?: string;
  readonly authfile?: string;
}

/** Adds `login`. */
export function registerLoginCommand(program: Command, io: CliIo): void {
  withConfigOption(program.command("login"))
    .description("log in to a registry; the password is read from stdin")
    .argument("<registry>", "host of the registry, with its port")
    .option("-u, --username <name>", "user name (default: the first line of stdin)")
    .option("--authfile <file>", "login file to write (default: Docker's, or $REGISTRY_AUTH_FILE)")
    .action(
      action(io, (registry: string, options: LoginOptions) =>
        loginCommand(createBundleContext(io, options.config), registry, options),
      ),
    );
}

/** Adds `logout`. */
export function registerLogoutCommand(program: Command, io: CliIo): void {
  program
    .command("logout")
    .description("forget the login at a registry")
    .argument("<registry>", "host of the registry, with its port")
    .option("--authfile <file>", "login file to change (default: Docker's, or $REGISTRY_AUTH_FILE)")
    .action(
      action(io, (registry: string, options: LoginOptions) =>
        logoutCommand(io, registry, options.authfile),
      ),
    );
}
