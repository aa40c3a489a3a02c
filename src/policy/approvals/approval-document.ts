/**
 * An approval as stores keep it (snake_case), read strictly: what another version or another hand wrote
 * lets nothing through. Loaded with the first store, so that a gateway starts without it.
 */
import * as z from "zod";
import { approvalStatuses } from "./approval.ts";
import { approvalChannels } from "./requirement.ts";

const voice = z.object({
  by: z.string(),
  channel: z.enum(approvalChannels),
  reason: z.nullable(z.string()),
  /** RFC 3339. */
  at: z.string(),
});

const requirement = z.object({
  key: z.string(),
  layer: z.string(),
  rule: z.string(),
  title: z.nullable(z.string()),
  approvers: z.array(z.string()),
  channels: z.array(z.string()),
  is_disclosed: z.boolean(),
  /** Who agreed. */
  approved: z.nullable(voice),
});

const approval = z.object({
  version: z.literal(1),
  id: z.uuid(),
  status: z.enum(approvalStatuses),
  tenant: z.string(),
  user: z.string(),
  /** Users of the machine who are the requester too. */
  os_users: z.array(z.string()),
  agent: z.string(),
  /** Key of the principal, under which requests are counted. */
  principal: z.string(),
  /** Keyed digest of all that the approval is good for. */
  binding: z.string(),
  action_type: z.string(),
  server: z.string(),
  /** Exact upstream name of the tool; `null` where the action names none. */
  tool: z.nullable(z.string()),
  /** As the client called it. */
  exposed_name: z.string(),
  definition_digest: z.nullable(z.string()),
  /** Of the arguments in their RFC 8785 form; keyed, `hmac-sha256:` and hexadecimal digits. */
  args_sha256: z.string(),
  requirements: z.array(requirement),
  /** The decision that held the call. */
  decision_id: z.string(),
  requested_at: z.string(),
  expires_at: z.string(),
  denied: z.nullable(voice),
  /** How often it let a request through: the call, and each retry that the server wanted. */
  uses: z.int(),
  used_by: z.nullable(z.string()),
  closed_at: z.nullable(z.string()),
});

export type ApprovalDocument = z.output<typeof approval>;

/** Reads a document of a store; `undefined` where it is none. */
export function parseApproval(text: string): ApprovalDocument | undefined {
  try {
    const parsed = approval.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
