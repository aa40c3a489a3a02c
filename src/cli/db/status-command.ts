/**
 * `db status`: schema, partitions, what waits on this machine, dead letters and holds.
 */
import { systemClock } from "../../config/ambient.ts";
import type { Hold } from "../../decision/retention/hold.ts";
import type { HoldPlace } from "../../decision/retention/hold-store.ts";
import { openHolds } from "../../decision/retention/hold-store.ts";
import { spoolFolder } from "../../decision/spool/writer-folder.ts";
import type { StoredTable } from "../../decision/store/store-status.ts";
import { storeStatus } from "../../decision/store/store-status.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import type { DatabaseOptions } from "../db.ts";
import { withStore } from "../decision/with-store.ts";
import type { CliIo } from "../io.ts";
import type { Column } from "../print.ts";
import { printDocument, printList } from "../print.ts";

/** Prints it. */
export async function statusCommand(io: CliIo, options: DatabaseOptions): Promise<void> {
  const { store } = loadConfigFor(io, options.config).config.decisions;
  const stateDir = stateDirOf(io);
  const spool = spoolFolder(stateDir, store.kind);
  const status = await withStore(io, options.config, (database) => storeStatus(database, spool));
  const held = await heldIn({ stateDir, store, clock: systemClock });
  const whole = { store: store.kind, ...status, holds: held.length };
  if (options.output !== "table") return printDocument(io, options.output, whole);
  printList(io, options.output, status.partitions, columns);
  const { server, schema, oldest, newest, waiting, dead_letters, last_pruned } = whole;
  io.err(`${store.kind} ${server}, schema ${schema ?? "none"}`);
  io.err(
    `decisions from ${oldest ?? "-"} to ${newest ?? "-"}; last pruned ${last_pruned ?? "never"}`,
  );
  const since = waiting.oldest === null ? "" : `, the oldest of ${waiting.oldest}`;
  io.err(`waiting on this machine: ${waiting.bytes} bytes of ${waiting.writers} writers${since}`);
  io.err(`${dead_letters} dead letters, ${held.length} holds`);
}

async function heldIn(place: HoldPlace): Promise<readonly Hold[]> {
  const holds = await openHolds(place);
  try {
    return await holds.list();
  } finally {
    await holds.close();
  }
}

const columns: readonly Column<StoredTable>[] = [
  { title: "PARTITION", cell: ({ name }) => name },
  { title: "ROWS", cell: ({ rows }) => String(rows) },
  { title: "BYTES", cell: ({ bytes }) => String(bytes) },
];
