/**
 * `mcp-gateway bundle push|pull|list|inspect|sign|verify`: policy bundles as OCI artifacts, and
 * `history|activate|rollback|resume|revoke|gc`: what became of them here. Exit codes: 2 a reference
 * that is none, or a bundle that nobody knows; 3 a bundle or policy that is not in order, 7 a
 * registry or artifact that is not there, 8 content that does not verify or was revoked, 9 not
 * authorised.
 */
import type { Command } from "commander";
import type { ActivateOptions } from "./bundle/activate-command.ts";
import { activateCommand } from "./bundle/activate-command.ts";
import { createBundleContext } from "./bundle/bundle-context.ts";
import type { GcOptions } from "./bundle/gc-command.ts";
import { gcCommand } from "./bundle/gc-command.ts";
import { historyCommand } from "./bundle/history-command.ts";
import { inspectCommand } from "./bundle/inspect-command.ts";
import { listCommand } from "./bundle/list-command.ts";
import type { LockOptions } from "./bundle/lock-command.ts";
import { lockCommand } from "./bundle/lock-command.ts";
import { pullCommand } from "./bundle/pull-command.ts";
import type { PushCommandOptions } from "./bundle/push-command.ts";
import { pushCommand } from "./bundle/push-command.ts";
import type { ResumeOptions } from "./bundle/resume-command.ts";
import { resumeCommand } from "./bundle/resume-command.ts";
import type { RevokeOptions } from "./bundle/revoke-command.ts";
import { revokeCommand } from "./bundle/revoke-command.ts";
import type { RollbackOptions } from "./bundle/rollback-command.ts";
import { rollbackCommand } from "./bundle/rollback-command.ts";
import type { SignOptions } from "./bundle/sign-command.ts";
import { signCommand } from "./bundle/sign-command.ts";
import type { VerifyOptions } from "./bundle/verify-command.ts";
import { verifyCommand } from "./bundle/verify-command.ts";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import type { OutputFormat } from "./print.ts";
import { withCommonOptions } from "./with-common-options.ts";

interface Common {
  readonly config?: string;
  readonly output: OutputFormat;
}

/** Adds the noun `bundle` with its verbs. */
export function registerBundleCommands(program: Command, io: CliIo): void {
  const bundle = program
    .command("bundle")
    .description("policy bundles: push, pull, sign, verify, roll back");
  addPush(bundle, io);
  addPull(bundle, io);
  addList(bundle, io);
  addInspect(bundle, io);
  addSign(bundle, io);
  addVerify(bundle, io);
  addLife(bundle, io);
  addRevoke(bundle, io);
  addLock(bundle, io);
  addGc(bundle, io);
}

function addPush(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("push"))
    .description("test and build a policy folder and push it; prints REF@DIGEST")
    .argument("<folder>", "folder with Rego sources, or a built bundle.tar.gz")
    .argument("<reference>", "oci://HOST/REPOSITORY:TAG or oci-layout:PATH:TAG")
    .option("--source <url>", "where the sources are, for the artifact's annotations")
    .option("--no-test", "without its own tests; the report beside it says so")
    .option("--no-attest", "without a test report and provenance beside it")
    .action(
      action(io, (folder: string, reference: string, options: Common & PushCommandOptions) =>
        pushCommand(createBundleContext(io, options.config), folder, reference, options),
      ),
    );
}

function addPull(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("pull"))
    .description(
      "fetch a bundle, through the cache from a registry, and check it; prints REF@DIGEST",
    )
    .argument("<reference>", "oci://…, oci-layout:…, https://… or git+https://…")
    .option("-f, --file <file>", "also write the archive there, or its files into FOLDER/")
    .action(
      action(io, (reference: string, options: Common & { file?: string }) =>
        pullCommand(createBundleContext(io, options.config), reference, options),
      ),
    );
}

function addList(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("list"))
    .description("every source of policy: what is active, since when, and how the source is doing")
    .action(
      action(io, (options: Common) =>
        listCommand(createBundleContext(io, options.config), options),
      ),
    );
}

function addInspect(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("inspect"))
    .description("what is in a bundle, and the signatures, test reports and provenance beside it")
    .argument("<reference>", "oci://…, oci-layout:…, https://… or git+https://…")
    .action(
      action(io, (reference: string, options: Common) =>
        inspectCommand(createBundleContext(io, options.config), reference, options),
      ),
    );
}

function addSign(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("sign"))
    .description("sign what a reference stands for, or with --opa a built archive")
    .argument("<target>", "oci://… or oci-layout:…; with --opa a bundle.tar.gz")
    .requiredOption("--key <key>", "private key: a file with PEM, or env://NAME")
    .option("--format <format>", "bundle (cosign 3) or cosign-tag (before)", "bundle")
    .option("--opa", "write OPA's .signatures.json into the archive")
    .option("--algorithm <name>", "of --opa: RS256, PS256, ES256, HS256, …", "RS256")
    .option("--keyid <id>", "of --opa: name of the key", "default")
    .option("--scope <scope>", "of --opa: what the signature is good for")
    .option("-f, --file <file>", "of --opa: write there instead of into the archive")
    .action(
      action(io, (target: string, options: Common & SignOptions) =>
        signCommand(createBundleContext(io, options.config), target, options),
      ),
    );
}

function addVerify(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("verify"))
    .description("who vouches for a bundle: by these signers, else by trust in the configuration")
    .argument("<reference>", "oci://HOST/REPOSITORY:TAG or oci-layout:PATH:TAG")
    .option("--key <key>", "public key: a file with PEM, or env://NAME")
    .option("--identity <identity>", "exact identity in the certificate")
    .option("--identity-regex <pattern>", "instead of --identity; has to match as a whole")
    .option("--issuer <url>", "exact issuer of the identity")
    .option("--trusted-root <file>", "of another sigstore instance than the public one")
    .option("--name <name>", "server or layer that the bundle has to be for")
    .action(
      action(io, (reference: string, options: Common & VerifyOptions) =>
        verifyCommand(createBundleContext(io, options.config), reference, options),
      ),
    );
}

/** What a person does to a source; a running gateway follows within a second. */
function addLife(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("history"))
    .description("the bundles of a server or layer: active, before, waiting, held, revoked")
    .argument("<name>", "server or layer")
    .action(action(io, (name: string, options: Common) => historyCommand(io, name, options)));
  withCommonOptions(bundle.command("activate"))
    .description("make the bundle that waits active, or the one named, until bundle resume")
    .argument("<name>", "server or layer")
    .argument("[digest]", "or its first 12 digits or more")
    .option("--why <text>", "for the record; required unless the bundle waits")
    .action(
      action(io, (name: string, digest: string | undefined, options: ActivateOptions) =>
        activateCommand(io, name, digest, options),
      ),
    );
  withCommonOptions(bundle.command("rollback"))
    .description("back to the bundle before, from this machine alone, until bundle resume")
    .argument("<name>", "server or layer")
    .option("--to <digest>", "to this one; its first 12 digits or more")
    .option("--why <text>", "for the record; required")
    .action(
      action(io, (name: string, options: RollbackOptions) => rollbackCommand(io, name, options)),
    );
  withCommonOptions(bundle.command("resume"))
    .description("let the source of a held server or layer decide again")
    .argument("<name>", "server or layer")
    .option("--why <text>", "for the record")
    .action(action(io, (name: string, options: ResumeOptions) => resumeCommand(io, name, options)));
}

function addRevoke(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("revoke"))
    .description("never let a bundle be active again for a server or layer")
    .argument("<name>", "server or layer")
    .argument("<digest>", "or its first 12 digits or more, where it is known")
    .option("--why <text>", "for the record; required")
    .option("--undo", "take a revocation back")
    .action(
      action(io, (name: string, digest: string, options: RevokeOptions) =>
        revokeCommand(io, name, digest, options),
      ),
    );
}

function addLock(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("lock"))
    .description("write down next to the configuration which bundle every source has now")
    .argument("[names...]", "servers and layers; default all")
    .option("--check", "write nothing; exit code 5 where something would change")
    .option("--lowest", "accept nothing older than these revisions from now on")
    .action(
      action(io, (names: readonly string[], options: LockOptions) =>
        lockCommand(io, names, options),
      ),
    );
}

function addGc(bundle: Command, io: CliIo): void {
  withCommonOptions(bundle.command("gc"))
    .description("remove from the cache what no history, lock or reference needs")
    .option("--dry-run", "only say what would be removed")
    .action(action(io, (options: GcOptions) => gcCommand(io, options)));
}
