import { expect, test } from "vitest";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { logOptions, outcome } from "../support.ts";

test("records that nobody waits for are counted as lost when there is no room to keep them", async () => {
  const decisions = await createDecisionLog({
    ...logOptions(temporaryFolder()),
    store: { kind: "postgres", url: "postgres://nobody@127.0.0.1:1/none" },
    limits: { spoolMaxBytes: 1 },
    onFailure: "continue",
  });
  expect(decisions.status().lostRecords).toBe(0);
  for (let made = 0; made < 10_050; made += 1) decisions.settle(outcome(`id-${made}`));
  await eventually(() => decisions.status().lostRecords >= 50);
  await decisions.close();
  expect(decisions.status().lostRecords).toBe(10_050);
}, 60_000);
