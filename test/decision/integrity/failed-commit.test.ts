/**
 * A disk that fails in the middle of a chain: what was refused has no place in it, and what comes
 * later follows what is there.
 */
import { createPublicKey } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { checkpointKey } from "../../../src/decision/integrity/checkpoint-key.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { spoolChains, verifyRecord } from "../../../src/decision/verify-record.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { Faults } from "../faulty-files.ts";
import { faultyFiles, systemError } from "../faulty-files.ts";
import { admission, logOptions, outcome } from "../support.ts";
import { checkpoints } from "./thirteen-records.ts";

const sick = (): never => {
  throw systemError("EIO");
};

test("a chain is whole after commits that failed, with and without somebody who waits", async () => {
  const stateDir = temporaryFolder();
  const faults: Faults = {};
  const options = { ...logOptions(stateDir), checkpoints, files: faultyFiles(faults) };
  const decisions = await createDecisionLog(options);
  const [first, second] = [admission(), admission()];
  await decisions.admit(first);
  faults.sync = sick;
  const refused = [1, 2, 3].map(() => decisions.admit(admission()));
  const reports = await Promise.allSettled(refused);
  expect(reports.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  decisions.settle(outcome(first.decisionId));
  await eventually(() => decisions.status().failure !== undefined);
  delete faults.sync;
  await decisions.admit(second);
  decisions.settle(outcome(second.decisionId));
  await decisions.close();

  const key = createPublicKey(await checkpointKey(stateDir, checkpoints));
  const chains = spoolChains(spoolFolder(stateDir, "embedded"), systemClock);
  expect(await verifyRecord(chains, join(stateDir, "checkpoints"), key)).toEqual({
    writers: 1,
    records: 4,
    checkpoints: 1,
    uncovered: 0,
    dead_letters: 0,
    undocumented: 0,
    pruned: 0,
    unvouched: [],
    open_ended: [],
    problems: [],
  });
});
