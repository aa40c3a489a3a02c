/**
 * Where a gateway's own export goes: to a receiver over HTTP, to a file, or to stdout.
 */
import type { ExportConfig } from "../../config/decisions-config.ts";
import type { EventSink, RefusedLine } from "./event-sink.ts";
import { linesText } from "./event-sink.ts";
import { fileSink } from "./file-sink.ts";
import { httpSink } from "./http-sink.ts";

export interface SinkHands {
  readonly fetch: typeof globalThis.fetch;
  /** Resolves once the text is out of this process. */
  readonly writeOut: (text: string) => Promise<void>;
}

/** The one that the configuration names; it is connected to, or opened, for each batch. */
export function openEventSink({ to, headers }: ExportConfig, hands: SinkHands): EventSink {
  switch (to.kind) {
    case "http":
      return httpSink({ url: to.url, headers, fetch: hands.fetch });
    case "file":
      return fileSink(to.path);
    case "stdout":
      return { name: "stdout", take: (lines) => toStdout(lines, hands) };
  }
}

async function toStdout(
  lines: readonly string[],
  { writeOut }: SinkHands,
): Promise<readonly RefusedLine[]> {
  await writeOut(linesText(lines));
  return [];
}
