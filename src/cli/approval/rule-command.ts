/**
 * `approval approve ID` and `approval deny ID`: one person's word about one call. Who that is comes
 * from the process, never from an option.
 */
import { describeApproval, waitsFor } from "../../policy/approvals/describe-approval.ts";
import { approverOfSystem } from "../../policy/approvals/known-approver.ts";
import { personNames } from "../person-of.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import { readWhy } from "../read-why.ts";
import { changeApprovals, findApproval } from "./with-approvals.ts";

export interface RuleOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly why?: string;
}

/** Takes the decision, on record before anything runs on it. */
export async function ruleCommand(
  io: CliIo,
  verdict: "approve" | "deny",
  text: string,
  { config: path, output, why }: RuleOptions,
): Promise<void> {
  const reason = readWhy(why, "a decision");
  await changeApprovals(io, path, async (approvals, { approvals: config }) => {
    const found = await findApproval(approvals, text);
    // Closing takes the arguments away, and whoever decided may want to see what about.
    const described = await describeApproval(approvals, found);
    const approver = approverOfSystem(config, personNames(io));
    const ruling = { verdict, approver, channel: "cli", reason } as const;
    const ruled = await approvals.rule(found.id, ruling);
    const after = await describeApproval(approvals, ruled);
    if (output === "table") io.out(`${ruled.id} ${ruled.status}`);
    else printDocument(io, output, { ...after, arguments: described.arguments });
    if (ruled.status === "pending") io.err(`it still waits for ${waitsFor(ruled)}`);
  });
}
