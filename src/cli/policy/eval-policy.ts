/**
 * `policy eval`: asks one policy about one input document with OPA's interpreter. It is one layer's
 * word, not the gateway's decision: nothing is combined with other layers.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import * as z from "zod";
import type { Json } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import { messageOf } from "../../errors.ts";
import type { RegoEvaluation } from "../../rego/answers.ts";
import type { RegoToolchain } from "../../rego/create-rego-toolchain.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError } from "../io.ts";
import { printDocument } from "../print.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { readFolder, reportProblems } from "./report-problems.ts";

interface EvalRequest {
  readonly io: CliIo;
  readonly toolchain: RegoToolchain;
  readonly folder: string;
  readonly input: string;
  readonly query?: string;
  readonly exitOnDeny?: boolean;
  readonly format: OutputFormat;
}

/** Prints the value; exit code 3 for a policy that is not in order or that throws. */
export async function evalPolicy(request: EvalRequest): Promise<void> {
  const { io, toolchain, folder, query, format, exitOnDeny = false } = request;
  const input = await readInput(io, request.input);
  const sources = await readFolder(io, toolchain, folder);
  const asked = query === undefined ? { ...sources, input } : { ...sources, input, query };
  const result = await toolchain.eval(asked);
  if (!result.ok) {
    reportProblems(io, folder, result.problems);
    return;
  }
  if (result.value.defined) printDocument(io, format, result.value.value);
  else io.err(`undefined: ${result.value.query}`);
  io.exit(exitOnDeny && isDenied(result.value) ? exitCodes.denied : exitCodes.done);
}

async function readInput(io: CliIo, file: string): Promise<Json> {
  try {
    return z.json().parse(JSON.parse(await readFile(resolve(io.cwd, file), "utf8")));
  } catch (thrown) {
    const message = `expected --input ${file} to be a JSON document: ${messageOf(thrown)}`;
    throw new CliError(exitCodes.usage, message, { cause: thrown });
  }
}

/** Undefined, a denial, or a policy that can grant and grants nothing. */
function isDenied({ defined, value }: RegoEvaluation): boolean {
  if (!defined || value === false) return true;
  if (!isJsonObject(value)) return false;
  const { deny, allow } = value;
  const grantsNothing = allow === false || (Array.isArray(allow) && allow.length === 0);
  return (Array.isArray(deny) && deny.length > 0) || grantsNothing;
}
