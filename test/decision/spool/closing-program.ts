/**
 * Settles an outcome in the state folder of its first argument, closes the log in the same turn, and
 * has nothing else that would keep the process alive.
 */
import { newId, systemClock } from "../../../src/config/ambient.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { openMask } from "../masking/open-mask.ts";
import { outcome } from "../sample-records.ts";

const silent = { error: ignore, warn: ignore, info: ignore, debug: ignore, child: () => silent };

function ignore(): void {
  // Nobody reads it.
}

const log = await createDecisionLog({
  stateDir: process.argv[2] ?? "",
  store: { kind: "embedded" },
  clock: systemClock,
  log: silent,
  newId,
  limits: { spoolMaxBytes: Number.MAX_SAFE_INTEGER },
  onFailure: "fail_operation",
  durability: "sync",
  mask: openMask(),
});
log.settle(outcome(newId()));
await log.close();
