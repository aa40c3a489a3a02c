/**
 * The options of almost every command. Apart from `common-options.ts`, since `serve` has no `-o` and
 * starts without the YAML writer.
 */
import type { Command } from "commander";
import { withConfigOption } from "./common-options.ts";
import { withOutputOption } from "./print.ts";

/** Adds `-c` and `-o`. */
export function withCommonOptions(command: Command): Command {
  return withOutputOption(withConfigOption(command));
}
