/**
 * `mcp-gateway audit verify`: whether the decision record is what was written.
 */
import type { Command } from "commander";
import type { VerifyOptions } from "./audit/verify-command.ts";
import { verifyCommand } from "./audit/verify-command.ts";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import { withCommonOptions } from "./with-common-options.ts";

/** Adds `audit verify`. */
export function registerAuditCommands(program: Command, io: CliIo): void {
  const audit = program.command("audit").description("prove the decision record");
  withCommonOptions(
    audit
      .command("verify")
      .description("follow every chain of records and compare it with its checkpoints"),
  )
    .option("--checkpoints <folder>", "where checkpoints are (default: as configured)")
    .option("--key <file>", "public key of the checkpoints, PEM (default: of the configured key)")
    .action(action(io, (options: VerifyOptions) => verifyCommand(io, options)));
}
