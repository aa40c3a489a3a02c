/**
 * The export of a running gateway, with the process's own stdout and network.
 */
import type { ExportConfig } from "../../config/decisions-config.ts";
import type { ExportPlace } from "../../decision/decision-log.ts";
import { Exporter } from "../../decision/export/exporter.ts";
import { openEventSink } from "../../decision/export/open-event-sink.ts";

/** How the decision log makes it. */
export function createExporter(config: ExportConfig): (place: ExportPlace) => Exporter {
  const sink = openEventSink(config, { fetch: globalThis.fetch, writeOut });
  return (place) => new Exporter({ ...place, config, sink });
}

async function writeOut(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
