/**
 * `decision export` on the command line; what it does is loaded when it is asked for.
 */
import type { Command } from "commander";
import type { CliIo } from "../io.ts";
import { action } from "../io.ts";
import { withConfigOption } from "../common-options.ts";
import type { ExportOptions } from "./export-command.ts";

/** Adds it. */
export function registerExportCommand(decision: Command, io: CliIo): void {
  withConfigOption(
    decision.command("export").description("export the record, as OPA's decision log or as it is"),
  )
    .option("--since <time>", "RFC 3339, or how long ago: 15m, 2h, 7d")
    .option("--until <time>", "RFC 3339, or how long ago; what is made from then on is left out")
    .option("--server <id>", "only of this server")
    .option("--format <format>", "opa: decisions as OPA logs them; jsonl: every record", "opa")
    .option("-f, --file <file>", "write to a file (default: stdout)")
    .option("--to <url>", "post to a receiver of OPA's decision logs")
    .option("--token-file <file>", "bearer token for --to")
    .option("--position <file>", "go on behind the last export that used this file")
    .action(
      action(io, async (options: ExportOptions) => {
        const { exportCommand } = await import("./export-command.ts");
        await exportCommand(io, options);
      }),
    );
}
