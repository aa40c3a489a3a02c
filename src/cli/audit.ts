/**
 * `mcp-gateway audit verify|export`: whether the decision record is what was written, and a package
 * with which others can see for themselves.
 */
import type { Command } from "commander";
import type { PackageCommandOptions } from "./audit/export-command.ts";
import type { VerifyOptions } from "./audit/verify-command.ts";
import { verifyCommand } from "./audit/verify-command.ts";
import { withConfigOption } from "./common-options.ts";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import { withCommonOptions } from "./with-common-options.ts";

/** Adds `audit verify` and `audit export`. */
export function registerAuditCommands(program: Command, io: CliIo): void {
  const audit = program.command("audit").description("prove the decision record");
  withCommonOptions(
    audit
      .command("verify")
      .description("follow every chain of records and compare it with its checkpoints"),
  )
    .option("--checkpoints <folder>", "where checkpoints are (default: as configured)")
    .option("--key <file>", "public key of the checkpoints, PEM (default: of the configured key)")
    .option("--package <file>", "verify a package instead, without a configuration")
    .action(action(io, (options: VerifyOptions) => verifyCommand(io, options)));
  withConfigOption(
    audit.command("export").description("write a signed package that verifies anywhere"),
  )
    .requiredOption("--since <time>", "RFC 3339, or how long ago: 15m, 2h, 7d")
    .requiredOption("-f, --file <file>", "where the package is written, .tar.gz")
    .option("--force", "write over a file that is there")
    .action(
      action(io, async (options: PackageCommandOptions) => {
        const { exportPackage } = await import("./audit/export-command.ts");
        await exportPackage(io, options);
      }),
    );
}
