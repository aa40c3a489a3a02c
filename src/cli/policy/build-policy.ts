/**
 * `policy build`: writes the bundle that `bundle push` would push.
 */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { packBundle } from "../../bundle/archive.ts";
import { sha256Of } from "../../contract/sha256.ts";
import type { RegoToolchain } from "../../rego/create-rego-toolchain.ts";
import { exitCodes } from "../exit-code.ts";
import { printDocument } from "../print.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { readFolder, reportProblems } from "./report-problems.ts";

interface BuildRequest {
  readonly io: CliIo;
  readonly toolchain: RegoToolchain;
  readonly folder: string;
  readonly file: string;
  readonly format: OutputFormat;
}

/** Builds, writes and describes a bundle; exit code 3 for a policy that is not in order. */
export async function buildPolicy(request: BuildRequest): Promise<void> {
  const { io, toolchain, folder, file, format } = request;
  const sources = await readFolder(io, toolchain, folder);
  const built = await toolchain.build(sources);
  if (!built.ok) {
    reportProblems(io, folder, built.problems);
    return;
  }
  const archive = packBundle(built.value.files);
  await writeFile(resolve(io.cwd, file), archive);
  const { files, ...summary } = built.value;
  printDocument(io, format, {
    file,
    digest: sha256Of(archive),
    bytes: archive.length,
    revision: sources.manifest.revision ?? "",
    ...summary,
    files: [...files.keys()].toSorted(),
  });
  io.exit(exitCodes.done);
}
