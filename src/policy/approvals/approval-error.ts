/**
 * Why a decision of a person does not count, or the approvals cannot be had.
 */
import { GatewayError } from "../../errors.ts";

/** Codes of `ApprovalError`; `docs/errors.md` has a row for each. */
export const approvalErrorCodes = [
  "approval_unknown",
  "approval_closed",
  "approval_self",
  "approval_not_approver",
  "approval_channel_refused",
  "approval_reason_invalid",
  "approval_store_unusable",
] as const;
export type ApprovalErrorCode = (typeof approvalErrorCodes)[number];

/** A decision that does not count, or state that cannot be used. */
export class ApprovalError extends GatewayError<ApprovalErrorCode> {}
