/**
 * A denial that was answered is found by whoever looks, while its writer goes on writing and changes
 * segments.
 */
import { expect, onTestFinished, test } from "vitest";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import { migrate } from "../../../src/database/migrate.ts";
import { openEmbedded } from "../../../src/database/pglite.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { listDecisions } from "../../../src/decision/store/query-decisions.ts";
import { takeIn } from "../../../src/decision/store/take-in.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { admission, logOptions, outcome, spoolLimits } from "../support.ts";

const rounds = 200;

test("a denial is there for whoever looks once it was answered, however busy its writer is", async () => {
  const stateDir = temporaryFolder();
  const limits = { ...spoolLimits, segmentMaxBytes: 32 * 1024 };
  const log = await createDecisionLog({ ...logOptions(stateDir), limits });
  const database = await openEmbedded(stateDir, { clock: systemClock });
  onTestFinished(async () => {
    await log.close();
    await database.close();
  });
  await migrate(database);
  const spool = spoolFolder(stateDir, "embedded");
  const watched = createTestLog();
  const missed: string[] = [];
  let others: Promise<void>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const decisionId = newId();
    // Nobody waits for these while somebody looks.
    others = [...others.slice(-20), log.admit(admission()), log.admit(admission())];
    log.settle(outcome(newId()));
    await log.admit(admission({ decisionId }));
    log.settle(outcome(newId()));
    await takeIn(database, { spool, clock: systemClock, log: watched });
    const listed = await listDecisions(database, { limit: 100 });
    if (!listed.some(({ decision_id: id }) => id === decisionId)) missed.push(decisionId);
  }
  await Promise.all(others);
  expect(missed).toEqual([]);
  expect(watched.lines).toEqual([]);
}, 240_000);
