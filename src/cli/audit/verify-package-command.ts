/**
 * `audit verify --package`: verifies a package of the record by itself. Neither a configuration nor
 * the state of a gateway is looked at.
 */
import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzip } from "../../bundle/gzip.ts";
import { readTar } from "../../bundle/read-tar.ts";
import { DecisionError } from "../../decision/decision-error.ts";
import { openVerifyingKey } from "../../decision/integrity/checkpoint-key.ts";
import type { PackageFiles } from "../../decision/package/package-manifest.ts";
import { keyName } from "../../decision/package/package-manifest.ts";
import type { PackageProblem, PackageVerification } from "../../decision/package/verify-package.ts";
import { verifyPackage } from "../../decision/package/verify-package.ts";
import { messageOf } from "../../errors.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { printable } from "../printable.ts";
import type { Column, OutputFormat } from "../print.ts";
import { printDocument, printList } from "../print.ts";

const packageMaxBytes = 4 * 1024 ** 3 - 1;
const filesMax = 1_000_000;

interface Options {
  readonly output: OutputFormat;
  readonly package: string;
}

/** Prints what was found; `key` verifies it, else the one that came with it, which is said. */
export function verifyPackageCommand(io: CliIo, options: Options, key?: KeyObject): void {
  const files = readPackage(resolve(io.cwd, options.package));
  const pem = files.get(keyName)?.toString("utf8") ?? "";
  const verification = verifyPackage(
    files,
    key ?? openVerifyingKey(pem, `${keyName} of the package`),
  );
  print(io, options.output, verification);
  if (key === undefined) {
    io.err("the key came with the package: compare its id with that of the gateway, or give --key");
  }
  if (verification.problems.length > 0) io.exit(exitCodes.unverified);
}

function readPackage(path: string): PackageFiles {
  try {
    const archive = gunzip(readFileSync(path), packageMaxBytes);
    const files = readTar(archive, filesMax);
    const named = new Map(files.map(({ name, content }) => [name, content]));
    if (named.size < files.length) throw new Error("a file is there twice");
    return named;
  } catch (cause) {
    const message = `expected a package of the record at ${path}, found: ${messageOf(cause)}`;
    throw new DecisionError("package_unusable", message, { cause });
  }
}

function print(io: CliIo, output: OutputFormat, verification: PackageVerification): void {
  if (output !== "table") return printDocument(io, output, verification);
  const { writers, records, checkpoints, bundles, problems, made_at: made } = verification;
  if (problems.length > 0) printList(io, output, problems, columns);
  io.err(
    printable(
      `${records} records of ${writers} writers, ${checkpoints} checkpoints, ${bundles} bundles; made at ${made ?? "-"} with key ${verification.key ?? "-"}`,
    ),
  );
  for (const digest of verification.missing_bundles) io.err(printable(`not packed: ${digest}`));
  io.err(
    problems.length === 0
      ? "the package is whole, and every chain in it"
      : "the package is not what was packed",
  );
}

const columns: readonly Column<PackageProblem>[] = [
  { title: "WRITER", cell: ({ writer }) => writer },
  { title: "RECORD", cell: ({ seq }) => (seq === 0 ? "-" : String(seq)) },
  { title: "FOUND", cell: ({ kind }) => kind },
  { title: "WHAT", cell: ({ message }) => message },
];
