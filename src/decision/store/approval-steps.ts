/**
 * What people said to one decision, in the order in which they did.
 */
import * as z from "zod";
import type { Queryable } from "../../database/database.ts";

/** `$1` id of the decision that was held, or that ran on an approval. */
const selectSteps = `
SELECT json_build_object(
  'event', event, 'approval_id', approval_id, 'by', decided_by, 'channel', channel, 'reason', reason
) AS item
FROM mcp_gateway.approval_event
WHERE for_decision_id = $1::text OR approval_id IN (
  SELECT approval_id FROM mcp_gateway.approval_event WHERE for_decision_id = $1::text
)
ORDER BY recorded_at, decision_id
LIMIT 50`;

const text = z.string().nullable();
const stepSchema = z.object({
  event: text,
  approval_id: text,
  by: text,
  channel: text,
  reason: text,
});

export type ApprovalStepTold = z.output<typeof stepSchema>;

/** The steps of every approval that this decision has to do with. */
export async function approvalSteps(
  store: Queryable,
  decisionId: string,
): Promise<readonly ApprovalStepTold[]> {
  const rows = await store.query(selectSteps, [decisionId]);
  return rows.map((row) => stepSchema.parse(row["item"]));
}
