/**
 * `approval get ID`: one request, whole.
 */
import { describeApproval } from "../../policy/approvals/describe-approval.ts";
import type { CliIo } from "../io.ts";
import { printDocument } from "../print.ts";
import type { ListOptions } from "./list-command.ts";
import { findApproval, readApprovals } from "./with-approvals.ts";

/** Prints the request that `id` names. */
export async function getCommand(
  io: CliIo,
  id: string,
  { config, output }: Pick<ListOptions, "config" | "output">,
): Promise<void> {
  await readApprovals(io, config, async (approvals) => {
    const found = await findApproval(approvals, id);
    printDocument(io, output, await describeApproval(approvals, found));
  });
}
