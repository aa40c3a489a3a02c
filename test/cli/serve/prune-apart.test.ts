/**
 * Payloads of an embedded store, pruned by the built command as a gateway starts it.
 */
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createPruneApart } from "../../../src/cli/serve/prune-apart.ts";
import { segmentName } from "../../../src/decision/spool/segment.ts";
import {
  listSegments,
  listWriters,
  spoolFolder,
} from "../../../src/decision/spool/writer-folder.ts";
import { dayMs, writeCalls } from "../../decision/retention/old-records.ts";
import { readSpool } from "../../decision/support.ts";
import { giveEmbeddedDatabase } from "../../support/embedded-database.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("payloads past their retention go in a process of its own, or it says why not", async () => {
  const folder = temporaryFolder();
  const stateDir = join(folder, "state");
  await mkdir(stateDir, { mode: 0o700 });
  const limits = { spoolMaxBytes: Number.MAX_SAFE_INTEGER, segmentMaxBytes: 1500 };
  await writeCalls(stateDir, [{ daysAgo: 40 }, { daysAgo: 40 }, { daysAgo: 0 }], { limits });
  const spool = spoolFolder(stateDir, "embedded");
  const old = new Date(Date.now() - 50 * dayMs);
  for (const writer of await listWriters(spool)) {
    for (const segment of await listSegments(join(spool, writer))) {
      await utimes(join(spool, writer, segmentName(segment)), old, old);
    }
  }
  const decisions = { retention: { payload_days: 30, header_days: 300 } };
  const config = { agent: { id: "a" }, user: { id: "u" }, servers: {}, decisions };
  const configPath = join(folder, "c.json");
  await writeFile(configPath, JSON.stringify(config), { mode: 0o600 });
  await giveEmbeddedDatabase(stateDir);
  const before = await readSpool(stateDir);
  const env = { ...process.env, HOME: folder, MCP_GATEWAY_STATE: stateDir };
  await createPruneApart({ configPath, env })(new AbortController().signal);
  const after = await readSpool(stateDir);
  expect(after.join("\n")).toContain('"action":"prune"');
  expect(before.filter((text) => !after.includes(text)).length).toBeGreaterThan(2);

  const missing = createPruneApart({ configPath: join(folder, "none.json"), env });
  await expect(missing(new AbortController().signal)).rejects.toThrow("none.json");
}, 180_000);
