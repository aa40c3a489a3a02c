/**
 * `block list`: what is stopped, from the stores themselves. Where the shared one is away it is what
 * a gateway of this machine last read from it, and that is said; where none ever did, the rest is
 * shown and the command fails.
 */
import type { ScopedBlock } from "../../gateway/blocks/blocks.ts";
import type { BlockSource } from "../../gateway/blocks/open-block-stores.ts";
import { messageOf } from "../../errors.ts";
import { exitCodeOf } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printList } from "../print.ts";
import { withBlocks } from "./with-blocks.ts";

export interface ListOptions {
  readonly config?: string;
  readonly output: OutputFormat;
}

/** Prints one row for each block. */
export async function listCommand(io: CliIo, { config, output }: ListOptions): Promise<void> {
  const found = await withBlocks(io, config, async ({ sources }) => {
    const lists: ScopedBlock[] = [];
    for (const source of sources) lists.push(...(await readSource(io, source)));
    return lists;
  });
  printList(io, output, found, columns);
  if (found.length === 0 && output === "table") io.err("nothing is blocked");
}

async function readSource(
  io: CliIo,
  { store, known }: BlockSource,
): Promise<readonly ScopedBlock[]> {
  const { scope } = store;
  try {
    const { blocks = [] } = await store.read(undefined);
    return blocks.map((block) => ({ ...block, scope }));
  } catch (thrown) {
    const last = await known?.read();
    const shown = last === undefined ? "not shown" : "shown as last known on this machine";
    io.err(`warning: ${scope}: ${shown}: ${messageOf(thrown)}`);
    if (last === undefined) io.exit(exitCodeOf(thrown));
    return (last ?? []).map((block) => ({ ...block, scope }));
  }
}

const columns = [
  { title: "KIND", cell: (block: ScopedBlock) => block.kind },
  { title: "ID", cell: (block: ScopedBlock) => block.id },
  { title: "WHERE", cell: (block: ScopedBlock) => block.scope },
  { title: "SINCE", cell: (block: ScopedBlock) => block.at },
  { title: "BY", cell: (block: ScopedBlock) => block.by },
  { title: "REASON", cell: (block: ScopedBlock) => block.reason ?? "-" },
];
