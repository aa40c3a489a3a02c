/**
 * `approval watch`: prints each request once, when it comes, until it is interrupted.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describeApproval } from "../../policy/approvals/describe-approval.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import { readApprovals } from "./with-approvals.ts";

export interface WatchOptions {
  readonly config?: string;
  readonly output: OutputFormat;
}

const everyMs = 1000;

/** Prints what waits now and whatever comes. */
export async function watchCommand(io: CliIo, { config, output }: WatchOptions): Promise<void> {
  await readApprovals(io, config, async (approvals) => {
    let seen = new Set<string>();
    for (;;) {
      const pending = (await approvals.list()).filter(({ status }) => status === "pending");
      for (const approval of pending.toReversed()) {
        if (seen.has(approval.id)) continue;
        printDocument(io, output, await describeApproval(approvals, approval));
        if (output === "yaml" || output === "table") io.out("---");
      }
      seen = new Set(pending.map(({ id }) => id));
      await delay(everyMs);
    }
  });
}
