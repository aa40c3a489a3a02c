/**
 * `mcp-gateway status`: the gateways that run on this machine with this state folder, each as it says
 * of itself on its admin socket.
 */
import type { Command } from "commander";
import * as z from "zod/mini";
import { askGateways } from "../admin/ask-gateways.ts";
import { resolveStatePaths } from "../config/state-paths.ts";
import { ageOf } from "./age-of.ts";
import type { CliIo } from "./io.ts";
import { action } from "./io.ts";
import type { OutputFormat } from "./print.ts";
import { printList, withOutputOption } from "./print.ts";

const statusSchema = z.looseObject({
  pid: z.number(),
  version: z.string(),
  front: z.string(),
  state: z.string(),
  posture: z.string(),
  uptime_seconds: z.number(),
  config: z.string(),
  spool: z.looseObject({ store: z.string(), unshipped_bytes: z.number() }),
  export: z.optional(z.nullable(z.looseObject({ state: z.string(), lag_seconds: z.number() }))),
  blocks: z.looseObject({ count: z.number() }),
});

type Status = z.output<typeof statusSchema>;

/** Adds the command. */
export function registerStatusCommand(program: Command, io: CliIo): void {
  withOutputOption(program.command("status"))
    .description("show the gateways that run on this machine")
    .action(action(io, (options: { readonly output: OutputFormat }) => status(io, options)));
}

async function status(io: CliIo, { output }: { readonly output: OutputFormat }): Promise<void> {
  const answers = await askGateways(resolveStatePaths(io.env, io.cwd).stateDir, "/v1/status");
  const found = answers.flatMap(({ body }) => {
    const read = statusSchema.safeParse(body);
    return read.success ? [read.data] : [];
  });
  printList(io, output, found, columns);
  if (found.length === 0 && output === "table") io.err("no gateway runs with this state folder");
}

const columns = [
  { title: "PID", cell: ({ pid }: Status) => String(pid) },
  { title: "VERSION", cell: ({ version }: Status) => version },
  { title: "FRONT", cell: ({ front }: Status) => front },
  { title: "STATE", cell: ({ state }: Status) => state },
  { title: "POSTURE", cell: ({ posture }: Status) => posture },
  { title: "UP", cell: ({ uptime_seconds }: Status) => ageOf(uptime_seconds * 1000) },
  { title: "STORE", cell: ({ spool }: Status) => spool.store },
  { title: "UNSHIPPED", cell: ({ spool }: Status) => String(spool.unshipped_bytes) },
  { title: "EXPORT", cell: exportCell },
  { title: "BLOCKS", cell: ({ blocks }: Status) => String(blocks.count) },
  { title: "CONFIG", cell: ({ config }: Status) => config },
];

function exportCell({ export: standing }: Status): string {
  if (standing === undefined || standing === null) return "-";
  const { state, lag_seconds: lagSeconds } = standing;
  return lagSeconds === 0 ? state : `${state}, ${ageOf(lagSeconds * 1000)} behind`;
}
