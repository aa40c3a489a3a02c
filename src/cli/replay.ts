/**
 * `mcp-gateway replay CANDIDATE`: asks a policy again what was asked and recorded, and says what
 * would be otherwise. Nothing is changed, nothing is sent. Exit code 5 where something is found that
 * `--fail-on` names.
 */
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { replayBuckets } from "../replay/replay-buckets.ts";
import type { ReplayBucket } from "../replay/replay-buckets.ts";
import { withConfigOption } from "./common-options.ts";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import { outputFormats } from "./print.ts";
import type { ReplayOptions } from "./replay/replay-command.ts";

/** Adds `replay`. */
export function registerReplayCommand(program: Command, io: CliIo): void {
  withConfigOption(program.command("replay"))
    .description("what a policy would have decided otherwise, on recorded decisions")
    .argument("<candidate>", "folder with Rego sources, bundle file, reference or digest")
    .requiredOption("--since <time>", "RFC 3339, or how long ago: 15m, 2h, 7d")
    .option("--until <time>", "the same; decisions from then on are left out")
    .option("--server <id>", "only decisions about this server")
    .option("--layer <name>", "server or layer in whose place it is asked")
    .option("--limit <number>", "the newest so many", parseLimit)
    .option("--fail-on <buckets>", `exit code 5 for any of these: ${names()}`, parseBuckets, [])
    .addOption(
      new Option("-o, --output <format>", "how the report is printed")
        .choices([...outputFormats, "junit"])
        .default("table"),
    )
    .action(
      action(io, async (candidate: string, options: ReplayOptions) => {
        const { replayCommand } = await import("./replay/replay-command.ts");
        await replayCommand(io, candidate, options);
      }),
    );
}

function names(): string {
  return replayBuckets.map((bucket) => bucket.replaceAll("_", "-")).join(", ");
}

function parseBuckets(given: string): readonly ReplayBucket[] {
  return given.split(",").map((name) => {
    const wanted = name.trim().replaceAll("-", "_");
    const bucket = replayBuckets.find((known) => known === wanted);
    if (bucket !== undefined) return bucket;
    throw new InvalidArgumentError(`expected some of ${names()}, found "${name.trim()}"`);
  });
}

function parseLimit(given: string): number {
  const limit = /^\d{1,9}$/.test(given) ? Number(given) : 0;
  if (limit >= 1) return limit;
  throw new InvalidArgumentError(`expected a number above 0, found "${given}"`);
}
