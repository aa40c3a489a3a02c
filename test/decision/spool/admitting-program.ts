/**
 * Admits decisions into the state folder of its first argument until it is killed, for the Postgres
 * of its second one if there is one, and prints the id of each one that was admitted.
 */
import { writeSync } from "node:fs";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { openMask } from "../masking/open-mask.ts";
import { allowed } from "../sample-records.ts";

const silent = { error: ignore, warn: ignore, info: ignore, debug: ignore, child: () => silent };

function ignore(): void {
  // Nobody reads it.
}

const url = process.argv[3];
const log = await createDecisionLog({
  stateDir: process.argv[2] ?? "",
  store: url === undefined ? { kind: "embedded" } : { kind: "postgres", url },
  clock: systemClock,
  log: silent,
  newId,
  limits: { spoolMaxBytes: Number.MAX_SAFE_INTEGER },
  onFailure: "fail_operation",
  durability: "sync",
  mask: openMask(),
});

async function admitForever(): Promise<never> {
  for (;;) {
    const inputJson = JSON.stringify({ filler: "x".repeat(Math.random() * 3000) });
    const record = allowed({ inputJson });
    await log.admit(record);
    writeSync(1, `${record.decisionId}\n`);
  }
}

await Promise.all([1, 2, 3].map(admitForever));
