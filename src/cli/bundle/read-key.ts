/**
 * Keys of the command line: a file, or `env://NAME` as cosign writes it. Never an argument itself,
 * which every user of the machine could read.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { messageOf } from "../../errors.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";

/** The text of a key; the message of a failure names the place and nothing of the content. */
export function readKey(io: CliIo, place: string): string {
  const variable = /^env:\/\/([A-Za-z_][A-Za-z0-9_]*)$/.exec(place)?.[1];
  if (variable !== undefined) {
    const text = io.env[variable];
    if (text !== undefined && text !== "") return text;
    throw new CliError(exitCodes.usage, `expected a key in the variable ${variable}, found none`);
  }
  const path = resolve(io.cwd, place);
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw new CliError(exitCodes.usage, `cannot read the key ${path}: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

/** The password of an encrypted key: cosign's variable. */
export function keyPassword(io: CliIo): string | undefined {
  return io.env["COSIGN_PASSWORD"];
}
