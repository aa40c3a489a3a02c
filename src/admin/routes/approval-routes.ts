/**
 * Approvals over the admin interface: the same as `mcp-gateway approval`, decided under the caller's
 * name. Arguments are for approvers alone.
 */
import * as z from "zod/mini";
import { maxReasonCharacters } from "../../contract/reason-limit.ts";
import type { ApprovalDesk } from "../../gateway/approval-desk.ts";
import { AdminError } from "../admin-error.ts";
import type { AdminReply, AdminRequest, AdminRoute } from "../admin-route.ts";
import { replyWith } from "../admin-route.ts";
import type { RefusalStatuses } from "../reply-or-refuse.ts";
import { replyOrRefuse } from "../reply-or-refuse.ts";

const ruleBody = z.optional(
  z.strictObject({
    reason: z.optional(z.string().check(z.minLength(1), z.maxLength(maxReasonCharacters))),
  }),
);

/** `GET /v1/approvals`, `GET /v1/approvals/:id`, `POST /v1/approvals/:id/approve` and `/deny`. */
export function approvalRoutes(desk: ApprovalDesk): readonly AdminRoute[] {
  const path = "/v1/approvals";
  return [
    {
      method: "GET",
      path,
      role: "viewer",
      answer: async () =>
        await replyOrRefuse(statuses, async () => replyWith({ items: await desk.list() })),
    },
    {
      method: "GET",
      path: `${path}/:id`,
      role: "approver",
      answer: async ({ params }) =>
        await replyOrRefuse(statuses, async () => replyWith(await desk.get(params["id"] ?? ""))),
    },
    ...(["approve", "deny"] as const).map((verdict): AdminRoute => ({
      method: "POST",
      path: `${path}/:id/${verdict}`,
      role: "approver",
      answer: async (request) => await replyOrRefuse(statuses, () => rule(desk, verdict, request)),
    })),
  ];
}

async function rule(
  desk: ApprovalDesk,
  verdict: "approve" | "deny",
  { params, body, caller }: AdminRequest,
): Promise<AdminReply> {
  const wanted = ruleBody.safeParse(body);
  if (!wanted.success) {
    throw new AdminError("admin_request_invalid", 'expected {"reason"?: "…"}, found another body');
  }
  const reason = wanted.data?.reason ?? null;
  const wish = { id: params["id"] ?? "", verdict, caller, reason };
  return replyWith(await desk.rule(wish));
}

const statuses: RefusalStatuses = new Map([
  ["approval_unknown", 404],
  ["approval_closed", 409],
  ["approval_self", 403],
  ["approval_not_approver", 403],
  ["approval_channel_refused", 403],
  ["approval_reason_invalid", 400],
  ["approval_store_unusable", 503],
  ["database_unreachable", 503],
]);
