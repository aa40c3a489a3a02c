/**
 * `decision export`: the record for other programs, as OPA's decision log or as it is, to a file, to a
 * receiver of OPA's decision logs, or to stdout. It runs beside the gateways and holds up no call.
 */
import { resolve } from "node:path";
import { systemClock } from "../../config/ambient.ts";
import { parseTime } from "../../decision/parse-time.ts";
import { readPosition, writePosition } from "../../decision/export/export-position.ts";
import type {
  ExportedPlaces,
  ExportedRecord,
  ExportFilter,
} from "../../decision/export/exported-record.ts";
import { recordsOfSpool, recordsOfStore } from "../../decision/export/exported-record.ts";
import { opaEvent } from "../../decision/export/opa-event.ts";
import { spoolFolder } from "../../decision/spool/writer-folder.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import type { ExportTarget } from "./export-target.ts";
import { openExportTarget } from "./export-target.ts";
import { withStore } from "./with-store.ts";

export interface ExportOptions {
  readonly config?: string;
  readonly since?: string;
  readonly until?: string;
  readonly server?: string;
  readonly format: string;
  readonly file?: string;
  readonly to?: string;
  readonly tokenFile?: string;
  readonly position?: string;
}

const batchMax = 100;
const batchMaxCharacters = 1024 * 1024;
const formats: Readonly<Record<string, (text: string) => string | undefined>> = {
  opa: opaEvent,
  jsonl: (text) => text,
};

/** Exports what the options name; says how much on stderr. */
export async function exportCommand(io: CliIo, options: ExportOptions): Promise<void> {
  const format = formats[options.format];
  if (format === undefined || !Object.hasOwn(formats, options.format)) {
    const known = Object.keys(formats).join(", ");
    throw usage(`expected --format to be one of ${known}, found "${options.format}"`);
  }
  const filter = filterOf(options);
  const position = options.position === undefined ? undefined : resolve(io.cwd, options.position);
  const before = position === undefined ? new Map() : await readPosition(position);
  const target = openExportTarget(io, options);
  try {
    const exported = await withRecords(io, options.config, { filter, before }, (records) =>
      exportAll(records, { format, target, position, before }),
    );
    io.err(`${exported} ${exported === 1 ? "record" : "records"} exported`);
  } finally {
    target.close();
  }
}

function filterOf({ since, until, server, position }: ExportOptions): ExportFilter {
  if (since === undefined && position === undefined) {
    throw usage("expected --since, or --position to go on behind an earlier export");
  }
  const nowMs = systemClock.nowMs();
  const untilMs = until === undefined ? undefined : parseTime(until, nowMs);
  return { sinceMs: since === undefined ? 0 : parseTime(since, nowMs), untilMs, server };
}

interface Wanted {
  readonly filter: ExportFilter;
  readonly before: ExportedPlaces;
}

/** With the embedded store the spool is the record; nothing is written or locked for reading it. */
async function withRecords<Result>(
  io: CliIo,
  configPath: string | undefined,
  { filter, before }: Wanted,
  read: (records: AsyncIterable<ExportedRecord>) => Promise<Result>,
): Promise<Result> {
  const { store } = loadConfigFor(io, configPath).config.decisions;
  if (store.kind === "postgres") {
    return await withStore(io, configPath, (database) =>
      read(recordsOfStore(database, filter, before)),
    );
  }
  const spool = spoolFolder(stateDirOf(io), store.kind);
  return await read(recordsOfSpool(spool, systemClock, filter, before));
}

interface Export {
  readonly format: (text: string) => string | undefined;
  readonly target: ExportTarget;
  readonly position: string | undefined;
  readonly before: ExportedPlaces;
}

/** A place is noted once everything up to it was taken. */
async function exportAll(
  records: AsyncIterable<ExportedRecord>,
  { format, target, position, before }: Export,
): Promise<number> {
  const places = new Map(before);
  let exported = 0;
  let batch: string[] = [];
  let characters = 0;
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await target.take(batch);
    if (position !== undefined) await writePosition(position, places);
    exported += batch.length;
    batch = [];
    characters = 0;
  };
  for await (const { writer, seq, text } of records) {
    const event = format(text);
    places.set(writer, seq);
    if (event === undefined) continue;
    batch.push(event);
    characters += event.length;
    if (batch.length >= batchMax || characters >= batchMaxCharacters) await flush();
  }
  await flush();
  return exported;
}

function usage(message: string): CliError {
  return new CliError(exitCodes.usage, message);
}
