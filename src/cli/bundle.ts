/**
 * `mcp-gateway bundle push|pull|list|inspect`: policy bundles as OCI artifacts. Exit codes: 2 a
 * reference that is none, 3 a bundle or policy that is not in order, 7 a registry or artifact that
 * is not there, 8 content that does not verify, 9 not authorised.
 */
import type { Command } from "commander";
import { createBundleContext } from "./bundle/bundle-context.ts";
import { inspectCommand } from "./bundle/inspect-command.ts";
import { listCommand } from "./bundle/list-command.ts";
import { pullCommand } from "./bundle/pull-command.ts";
import { pushCommand } from "./bundle/push-command.ts";
import { withConfigOption } from "./common-options.ts";
import { action, type CliIo } from "./io.ts";
import { withOutputOption, type OutputFormat } from "./print.ts";

interface Common {
  readonly config?: string;
  readonly output: OutputFormat;
}

/** Adds the noun `bundle` with its verbs. */
export function registerBundleCommands(program: Command, io: CliIo): void {
  const bundle = program.command("bundle").description("policy bundles: push, pull, list, inspect");
  addPush(bundle, io);
  addPull(bundle, io);
  addList(bundle, io);
  addInspect(bundle, io);
}

function addPush(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("push"))
    .description("build a policy folder and push it; prints REF@DIGEST")
    .argument("<folder>", "folder with Rego sources, or a built bundle.tar.gz")
    .argument("<reference>", "oci://HOST/REPOSITORY:TAG or oci-layout:PATH:TAG")
    .option("--source <url>", "where the sources are, for the artifact's annotations")
    .action(
      action(io, (folder: string, reference: string, options: Common & { source?: string }) =>
        pushCommand(createBundleContext(io, options.config), folder, reference, options),
      ),
    );
}

function addPull(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("pull"))
    .description("fetch a bundle into the cache and check it; prints REF@DIGEST")
    .argument("<reference>", "oci://HOST/REPOSITORY:TAG, or with @DIGEST; or oci-layout:PATH:TAG")
    .option("-f, --file <file>", "also write the archive there")
    .action(
      action(io, (reference: string, options: Common & { file?: string }) =>
        pullCommand(createBundleContext(io, options.config), reference, options),
      ),
    );
}

function addList(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("list"))
    .description("the bundles that the configuration names, and what is here of each")
    .action(
      action(io, (options: Common) =>
        listCommand(createBundleContext(io, options.config), options),
      ),
    );
}

function addInspect(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("inspect"))
    .description("what is in a bundle: manifest, entrypoints, rules, annotations, files")
    .argument("<reference>", "oci://HOST/REPOSITORY:TAG or oci-layout:PATH:TAG")
    .action(
      action(io, (reference: string, options: Common) =>
        inspectCommand(createBundleContext(io, options.config), reference, options),
      ),
    );
}

function withCommonOptions(command: Command): Command {
  return withOutputOption(withConfigOption(command));
}
