/**
 * Blocks over the admin interface: the same as `mcp-gateway block`, recorded under the caller's name.
 */
import * as z from "zod/mini";
import { maxReasonCharacters } from "../../contract/reason-limit.ts";
import type { BlockScope } from "../../gateway/blocks/block.ts";
import type { Blocks } from "../../gateway/blocks/blocks.ts";
import { readSubject } from "../../gateway/blocks/read-subject.ts";
import { AdminError } from "../admin-error.ts";
import type { AdminReply, AdminRequest, AdminRoute } from "../admin-route.ts";
import { replyWith } from "../admin-route.ts";
import type { RefusalStatuses } from "../reply-or-refuse.ts";
import { replyOrRefuse } from "../reply-or-refuse.ts";

const reason = z.string().check(z.minLength(1), z.maxLength(maxReasonCharacters));
const blockBody = z.strictObject({
  kind: z.string(),
  id: z.string(),
  reason: z.optional(reason),
  scope: z.optional(z.enum(["everywhere", "this_machine"])),
});
const liftBody = z.strictObject({ reason });

/** `servers`: config ids. */
export interface BlockRouteParts {
  readonly blocks: Blocks;
  readonly servers: () => readonly string[];
}

/** `GET` and `POST /v1/blocks`, `DELETE /v1/blocks/:kind/:id`. */
export function blockRoutes(parts: BlockRouteParts): readonly AdminRoute[] {
  const { blocks } = parts;
  const path = "/v1/blocks";
  return [
    {
      method: "GET",
      path,
      role: "viewer",
      answer: () => replyWith({ items: blocks.list(), away: blocks.away() }),
    },
    {
      method: "POST",
      path,
      role: "operator",
      answer: async (request) => await replyOrRefuse(statuses, () => block(parts, request)),
    },
    {
      method: "DELETE",
      path: `${path}/:kind/:id*`,
      role: "operator",
      answer: async (request) => await replyOrRefuse(statuses, () => lift(parts, request)),
    },
  ];
}

async function block(
  { blocks, servers }: BlockRouteParts,
  { body, caller }: AdminRequest,
): Promise<AdminReply> {
  const wanted = blockBody.safeParse(body);
  if (!wanted.success) {
    throw invalid('expected {"kind": "agent|user|server|tool", "id", "reason"?, "scope"?}');
  }
  const { kind, id, reason: why = null, scope } = wanted.data;
  const wish = { subject: readSubject(kind, id, servers()), by: caller.name, reason: why };
  const outcome = await blocks.block(wish, scope satisfies BlockScope | undefined);
  const shown = { ...outcome.block, scope: outcome.scope, is_new: outcome.isNew };
  return replyWith(shown, outcome.isNew ? 201 : 200);
}

async function lift(
  { blocks }: BlockRouteParts,
  { params, body, caller }: AdminRequest,
): Promise<AdminReply> {
  const wanted = liftBody.safeParse(body);
  if (!wanted.success) throw invalid('expected {"reason": "…"}, which goes into the record');
  const { kind = "", id = "" } = params;
  // A server may have left the configuration since it was blocked.
  const subject = readSubject(kind, id, [id.split("/")[0] ?? ""]);
  const scopes = await blocks.lift({ subject, by: caller.name, reason: wanted.data.reason });
  return replyWith({ ...subject, scopes });
}

const statuses: RefusalStatuses = new Map([
  ["block_invalid", 400],
  ["block_unknown", 404],
  ["database_unreachable", 503],
]);

function invalid(message: string): AdminError {
  return new AdminError("admin_request_invalid", message);
}
