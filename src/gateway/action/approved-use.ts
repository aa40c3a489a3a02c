/**
 * What people are asked to agree to, of an action: the same when they are asked and when it runs.
 */
import type { ApprovedUse } from "../../policy/approvals/approval-grant.ts";
import type { Allowed } from "./conclude.ts";

/** Kind of action, server, tool and the definition that it was listed with. */
export function approvedUseOf({ action, target }: Pick<Allowed, "action" | "target">): ApprovedUse {
  return {
    actionType: action.type,
    server: target.server.id,
    tool: target.tool?.name ?? null,
    definitionDigest: target.tool?.digest ?? target.action.definition_digest ?? null,
  };
}
