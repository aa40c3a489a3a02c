/**
 * `approval list`: what waits for people.
 */
import type { Approval } from "../../policy/approvals/approval.ts";
import { describeApproval, waitsFor } from "../../policy/approvals/describe-approval.ts";
import type { CliIo } from "../io.ts";
import type { Column, OutputFormat } from "../print.ts";
import { printList } from "../print.ts";
import { readApprovals } from "./with-approvals.ts";

export interface ListOptions {
  readonly config?: string;
  readonly output: OutputFormat;
  readonly all?: boolean;
}

/** Prints what waits; with `all` what was decided, too. */
export async function listCommand(io: CliIo, options: ListOptions): Promise<void> {
  const { output, all = false } = options;
  await readApprovals(io, options.config, async (approvals) => {
    const kept = await approvals.list();
    const shown = all ? kept : kept.filter(isOpen);
    if (output === "table") {
      printList(io, output, shown, columns);
      if (shown.length === 0) io.err("nothing waits for an approval");
      return;
    }
    const items = await Promise.all(shown.map((one) => describeApproval(approvals, one)));
    printList(io, output, items, []);
  });
}

/** Approved, and its call has not come back for it yet. */
function isOpen({ status }: Approval): boolean {
  return status === "pending" || status === "approved";
}

const columns: readonly Column<Approval>[] = [
  { title: "ID", cell: ({ id }) => id },
  { title: "STATUS", cell: ({ status }) => status },
  { title: "USER", cell: ({ user }) => user },
  { title: "AGENT", cell: ({ agent }) => agent },
  { title: "SERVER", cell: ({ server }) => server },
  { title: "TOOL", cell: ({ tool, exposed_name: exposedName }) => tool ?? exposedName },
  { title: "WAITS FOR", cell: waitsFor },
  { title: "UNTIL", cell: ({ expires_at: expiresAt }) => expiresAt },
];
