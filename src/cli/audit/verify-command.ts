/**
 * `audit verify`: says of every writer where its chain first does not fit, and ends with a code of its
 * own where one does not.
 */
import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { systemClock } from "../../config/ambient.ts";
import { messageOf } from "../../errors.ts";
import {
  checkpointFolder,
  checkpointKey,
  openVerifyingKey,
} from "../../decision/integrity/checkpoint-key.ts";
import type { Tampering } from "../../decision/integrity/chain-check.ts";
import { spoolFolder } from "../../decision/spool/writer-folder.ts";
import { spoolChains, storeChains, verifyRecord } from "../../decision/verify-record.ts";
import type { Verification } from "../../decision/verify-record.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import { withStore } from "../decision/with-store.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { printable } from "../printable.ts";
import type { Column, OutputFormat } from "../print.ts";
import { printDocument, printList } from "../print.ts";

const openEndsShown = 10;

export interface VerifyOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly checkpoints?: string;
  readonly key?: string;
  readonly package?: string;
}

/** Prints what was found; the exit code says whether everything fits. */
export async function verifyCommand(io: CliIo, options: VerifyOptions): Promise<void> {
  const { package: file, output } = options;
  if (file !== undefined) {
    const given = options.key === undefined ? undefined : readKey(io, options.key);
    const { verifyPackageCommand } = await import("./verify-package-command.ts");
    return verifyPackageCommand(io, { output, package: file }, given);
  }
  const { decisions } = loadConfigFor(io, options.config).config;
  const stateDir = stateDirOf(io);
  const folder =
    options.checkpoints === undefined
      ? checkpointFolder(stateDir, decisions.checkpoints)
      : givenFolder(io, options.checkpoints);
  const key =
    options.key === undefined
      ? createPublicKey(await checkpointKey(stateDir, decisions.checkpoints))
      : readKey(io, options.key);
  const verification = await verify(
    io,
    options.config,
    { kind: decisions.store.kind, stateDir },
    {
      folder,
      key,
    },
  );
  print(io, options.output, verification);
  if (verification.problems.length > 0) io.exit(exitCodes.unverified);
}

async function verify(
  io: CliIo,
  config: string | undefined,
  { kind, stateDir }: { readonly kind: "embedded" | "postgres"; readonly stateDir: string },
  { folder, key }: { readonly folder: string; readonly key: KeyObject },
): Promise<Verification> {
  if (kind === "embedded") {
    return await verifyRecord(spoolChains(spoolFolder(stateDir, kind), systemClock), folder, key);
  }
  return await withStore(io, config, (database) =>
    verifyRecord(storeChains(database), folder, key),
  );
}

/** One that is not there, or not mounted, would vouch for whatever is found. */
function givenFolder(io: CliIo, folder: string): string {
  const path = resolve(io.cwd, folder);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new CliError(exitCodes.usage, `--checkpoints ${folder}: expected a folder, found none`);
}

function readKey(io: CliIo, file: string): KeyObject {
  const path = resolve(io.cwd, file);
  try {
    return openVerifyingKey(readFileSync(path, "utf8"), "--key");
  } catch (thrown) {
    throw new CliError(exitCodes.usage, `--key ${file}: ${messageOf(thrown)}`);
  }
}

function print(io: CliIo, output: OutputFormat, verification: Verification): void {
  if (output !== "table") return printDocument(io, output, verification);
  const { writers, records, checkpoints, uncovered, problems, unvouched } = verification;
  if (problems.length > 0) printList(io, output, problems, columns);
  io.err(
    `${records} records of ${writers} writers, ${checkpoints} checkpoints; ${uncovered} records behind the last checkpoint of their writer`,
  );
  if (unvouched.length > 0) io.err(printable(`without a checkpoint: ${unvouched.join(", ")}`));
  tellOpenEnds(io, verification.open_ended);
  const { dead_letters: deadLetters, undocumented, pruned } = verification;
  if (pruned > 0) io.err(`${pruned} records pruned, as signed statements say`);
  if (deadLetters > 0) io.err(`${deadLetters} records could not be inserted and are in no view`);
  if (undocumented > 0)
    io.err(`${undocumented} records have no document; views show their columns alone`);
  io.err(conclusion(verification));
}

function conclusion({ problems, checkpoints, records }: Verification): string {
  if (problems.length > 0) return "the record is not what was written";
  return checkpoints === 0 && records > 0
    ? "every chain is whole; no checkpoint is there, and nothing vouches for what was found"
    : "every chain is whole, and passes through its checkpoints";
}

/** What no checkpoint proves is said of each writer, as far as a person reads. */
function tellOpenEnds(io: CliIo, ends: Verification["open_ended"]): void {
  if (ends.length === 0) return;
  io.err(
    `proven up to the last checkpoint only, of ${ends.length} writers that run or were killed:`,
  );
  for (const { writer, seq, time } of ends.slice(-openEndsShown)) {
    io.err(printable(`  ${writer} up to record ${seq}, at ${time}`));
  }
  const hidden = ends.length - openEndsShown;
  if (hidden > 0) io.err(`  and ${hidden} older ones; -o json names all`);
}

const columns: readonly Column<Tampering>[] = [
  { title: "WRITER", cell: ({ writer }) => writer },
  { title: "RECORD", cell: ({ seq }) => String(seq) },
  { title: "FOUND", cell: ({ kind }) => kind },
  { title: "WHAT", cell: ({ message }) => message },
];
