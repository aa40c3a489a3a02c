/**
 * An answer that is larger than the operator allows, where such answers are cut: done like a
 * `truncate` of a policy, and said in the result and in the record as one.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { TruncateDuty } from "../../policy/enforcement/obligations/obligation.ts";
import type { AnsweredReply } from "../action/judge-result.ts";
import { textRulesOf } from "./clean-members.ts";
import { bytesOf } from "./clean-reply.ts";

/** None where the answer is not too large, or is withheld for it. */
export function truncatingDuties(
  server: Pick<ServerConfig, "texts">,
  reply: AnsweredReply,
): readonly TruncateDuty[] {
  const { maxBytes, oversize } = textRulesOf(server);
  if (maxBytes === undefined || oversize === "withhold") return [];
  if (bytesOf(reply).length <= maxBytes) return [];
  const limits = { maxBytes, maxCharacters: undefined, maxItems: undefined };
  return [{ id: "max_bytes", type: "truncate", ...limits }];
}
