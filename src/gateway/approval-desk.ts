/**
 * Approvals for somebody who decides about them over the admin interface: what waits, one request
 * whole, and their word about it.
 */
import type { ApprovalsConfig } from "../config/approvals-config.ts";
import { describeApproval } from "../policy/approvals/describe-approval.ts";
import type { Approver } from "../policy/approvals/approval-changes.ts";
import { approverOfSystem, approverOfToken } from "../policy/approvals/known-approver.ts";
import type { KeptApprovals } from "./keep-approvals.ts";

export interface DeskRuling {
  readonly id: string;
  readonly verdict: "approve" | "deny";
  /** On the socket everybody is the user of the process. */
  readonly caller: { readonly name: string; readonly via: "token" | "socket" };
  readonly reason: string | null;
}

/** Each answer is a JSON document; what does not count throws `ApprovalError`. */
export interface ApprovalDesk {
  /** All that are kept, newest first, without arguments. */
  readonly list: () => Promise<readonly object[]>;
  /** With the arguments whole, while it is open. */
  readonly get: (id: string) => Promise<object>;
  readonly rule: (ruling: DeskRuling) => Promise<object>;
}

/** A desk at the approvals of one gateway; `users` are all names of the user of its process. */
export function openApprovalDesk(
  kept: KeptApprovals,
  config: ApprovalsConfig,
  users: readonly string[],
): ApprovalDesk {
  const approverOf = ({ name, via }: DeskRuling["caller"]): Approver =>
    via === "socket" ? approverOfSystem(config, users) : approverOfToken(config, name);
  return {
    list: async () => {
      const approvals = await kept.open();
      const all = await approvals.list();
      const items = await Promise.all(all.map((one) => describeApproval(approvals, one)));
      return items.map((item) => ({ ...item, arguments: undefined }));
    },
    get: async (id) => {
      const approvals = await kept.open();
      return await describeApproval(approvals, await approvals.get(id));
    },
    rule: async ({ id, verdict, caller, reason }) => {
      const approvals = await kept.open();
      const approver = approverOf(caller);
      const ruled = await approvals.rule(id, { verdict, approver, channel: "admin", reason });
      return await describeApproval(approvals, ruled);
    },
  };
}
