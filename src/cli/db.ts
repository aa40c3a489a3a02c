/**
 * `mcp-gateway db`: the housekeeping of the store of decisions: its schema, how it is doing, what is
 * removed and what is kept all the same, and what it refused.
 */
import type { Command } from "commander";
import type { LetterOptions } from "./db/dead-letters.ts";
import { dropLetter, getLetter, listLetters, retryLetter } from "./db/dead-letters.ts";
import type { HoldAddOptions, HoldOptions } from "./db/holds.ts";
import { addHoldCommand, liftHoldCommand, listHolds } from "./db/holds.ts";
import { migrateCommand } from "./db/migrate-command.ts";
import type { PruneOptions } from "./db/prune-command.ts";
import { pruneCommand } from "./db/prune-command.ts";
import { rebuildCommand } from "./db/rebuild-command.ts";
import { statusCommand } from "./db/status-command.ts";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import type { OutputFormat } from "./print.ts";
import { withCommonOptions } from "./with-common-options.ts";

/** What each of them takes. */
export interface DatabaseOptions {
  readonly config?: string;
  readonly output: OutputFormat;
}

/** Adds `db` and what is under it. */
export function registerDatabaseCommands(program: Command, io: CliIo): void {
  const db = program.command("db").description("keep the store of decisions");
  withCommonOptions(db.command("migrate").description("bring the schema to this version's")).action(
    action(io, (options: DatabaseOptions) => migrateCommand(io, options)),
  );
  withCommonOptions(
    db.command("status").description("say what lies in the store, and what waits for it"),
  ).action(action(io, (options: DatabaseOptions) => statusCommand(io, options)));
  withCommonOptions(
    db.command("prune").description("remove what is past its retention and not held"),
  )
    .option("--payload-older-than <time>", "inputs and answers, 30d (default: as configured)")
    .option("--header-older-than <time>", "whole decisions, 365d (default: as configured)")
    .option("--without-proof", "sign no statement of it: audit verify will find it missing")
    .option("--dry-run", "say what would go")
    .action(action(io, (options: PruneOptions) => pruneCommand(io, options)));
  withCommonOptions(
    db.command("rebuild").description("make the embedded database anew from the spool"),
  ).action(action(io, (options: DatabaseOptions) => rebuildCommand(io, options)));
  registerHolds(db, io);
  registerDeadLetters(db, io);
}

function registerHolds(db: Command, io: CliIo): void {
  const hold = db.command("hold").description("keep decisions although their retention is over");
  withCommonOptions(hold.command("add").description("hold decisions; all that is named must agree"))
    .option("--decision <id...>", "these decisions")
    .option("--agent <id>", "of this agent")
    .option("--user <id>", "of this user")
    .option("--server <id>", "of this server")
    .option("--from <time>", "from this moment on, RFC 3339 or how long ago")
    .option("--until <time>", "before this moment")
    .option("--why <text>", "why, for the record")
    .action(action(io, (options: HoldAddOptions) => addHoldCommand(io, options)));
  withCommonOptions(hold.command("list").description("list what is held")).action(
    action(io, (options: HoldOptions) => listHolds(io, options)),
  );
  withCommonOptions(hold.command("lift").description("lift a hold"))
    .argument("<id>", "id of the hold, or the beginning of one")
    .option("--why <text>", "why, for the record")
    .action(action(io, (id: string, options: HoldOptions) => liftHoldCommand(io, id, options)));
}

function registerDeadLetters(db: Command, io: CliIo): void {
  const letters = db.command("dead-letters").description("records that the store refused");
  withCommonOptions(letters.command("list").description("list them, newest first")).action(
    action(io, (options: LetterOptions) => listLetters(io, options)),
  );
  withCommonOptions(letters.command("get").description("print one with its record"))
    .argument("<id>", "id as listed")
    .action(action(io, (id: string, options: LetterOptions) => getLetter(io, id, options)));
  withCommonOptions(letters.command("retry").description("try to insert one again, or all"))
    .argument("[id]", "id as listed; without it all of them")
    .option("--why <text>", "why, for the record")
    .action(
      action(io, (id: string | undefined, options: LetterOptions) => retryLetter(io, id, options)),
    );
  withCommonOptions(letters.command("drop").description("drop one for good"))
    .argument("<id>", "id as listed")
    .option("--why <text>", "why, for the record")
    .action(action(io, (id: string, options: LetterOptions) => dropLetter(io, id, options)));
}
