/**
 * The spool of a writer that is gone, with any texts in its frames.
 */
import { join } from "node:path";
import type { EncodedRecord } from "../../src/decision/integrity/envelope.ts";
import { nodeFileSystem } from "../../src/decision/spool/file-system.ts";
import { defaultSpoolLimits } from "../../src/decision/spool/spool-limits.ts";
import { SpoolWriter } from "../../src/decision/spool/spool-writer.ts";
import { spoolFolder } from "../../src/decision/spool/writer-folder.ts";
import { createTestLog } from "../support/log.ts";
import { spoolLimits } from "./support.ts";

export const deadWriter = "00000000-dead";

/** Writes it into an embedded spool. */
export async function writeDeadSpool(
  stateDir: string,
  records: readonly (EncodedRecord | string)[],
): Promise<void> {
  const folder = join(spoolFolder(stateDir, "embedded"), deadWriter);
  await nodeFileSystem.createFolder(folder);
  const writer = new SpoolWriter({
    files: nodeFileSystem,
    folder,
    writer: deadWriter,
    limits: { ...defaultSpoolLimits, ...spoolLimits },
    log: createTestLog(),
    flushDelayMs: 0,
    unshippedBytes: () => 0,
    onCommit: () => undefined,
  });
  for (const record of records) {
    writer.append(typeof record === "string" ? { text: record, header: "null" } : record);
  }
  await writer.close();
}
