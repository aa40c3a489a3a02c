/**
 * A decision log that exports by itself, as a gateway has it.
 */
import type { ExportConfig } from "../../../src/config/decisions-config.ts";
import type {
  DecisionLogOptions,
  ObservedDecisionLog,
} from "../../../src/decision/decision-log.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { Exporter } from "../../../src/decision/export/exporter.ts";
import { openEventSink } from "../../../src/decision/export/open-event-sink.ts";
import { createTestLog } from "../../support/log.ts";
import { allowed, logOptions, outcome } from "../support.ts";

/** Quick, and otherwise as configured by nobody. */
export function exportTo(
  to: ExportConfig["to"],
  changes: Partial<ExportConfig> = {},
): ExportConfig {
  return {
    to,
    format: "opa",
    headers: {},
    uploadSizeLimitBytes: 1_048_576,
    bufferSizeLimitBytes: 1_073_741_824,
    minDelayMs: 100,
    maxDelayMs: 400,
    ...changes,
  };
}

/** Opens it; `written` is what went to stdout. */
export async function openExporting(
  stateDir: string,
  config: ExportConfig,
  changes: Partial<DecisionLogOptions> = {},
) {
  const log = createTestLog();
  const written: string[] = [];
  const writeOut = async (text: string): Promise<void> => void written.push(text);
  const decisions = await createDecisionLog({
    ...logOptions(stateDir),
    log,
    export: config,
    openExporter: (place) =>
      new Exporter({ ...place, config, sink: openEventSink(config, { fetch, writeOut }) }),
    ...changes,
  });
  const status = () => decisions.status().exporter;
  return { decisions, status, written, lines: log.lines };
}

/** Records decisions with their outcomes; the ids of what is on disk. */
export async function admit(
  decisions: ObservedDecisionLog,
  count: number,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let done = 0; done < count; done += 1) {
    const record = allowed();
    await decisions.admit(record);
    decisions.settle(outcome(record.decisionId));
    ids.push(record.decisionId);
  }
  return ids;
}
