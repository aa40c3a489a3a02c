/**
 * What people agreed to, in the hands of the request that runs on it. It meets exactly the elements
 * that were asked; an element that comes up later is another question.
 */
import type { ApprovalRequest, LayerIdentity } from "../../contract/layer.ts";
import type { Approval } from "./approval.ts";
import { approvalTerms } from "./requirement.ts";

/** What an approval lets be done. */
export interface ApprovedUse {
  readonly actionType: string;
  readonly server: string;
  /** Exact upstream name; `null` where the action names none. */
  readonly tool: string | null;
  readonly definitionDigest: string | null;
}

export interface ApprovalGrant {
  readonly id: string;
  readonly use: ApprovedUse;
  readonly approvedBy: readonly string[];
  /** When the last of them agreed; RFC 3339. */
  readonly at: string;
  readonly rules: readonly string[];
  /** Keys of the requirements that are met. */
  readonly keys: ReadonlySet<string>;
  /** How often it was used so far. */
  readonly uses: number;
  /** False where the request is part of a call that has it already. */
  readonly isToBeClaimed: boolean;
}

/** The grant of an approval that everybody agreed to. */
export function grantOf(approval: Approval, isToBeClaimed: boolean): ApprovalGrant {
  const { id, requirements, uses } = approval;
  const voices = requirements.flatMap(({ approved }) => approved ?? []);
  return {
    id,
    use: {
      actionType: approval.action_type,
      server: approval.server,
      tool: approval.tool,
      definitionDigest: approval.definition_digest,
    },
    approvedBy: [...new Set(voices.map(({ by }) => by))],
    at:
      voices
        .map((voice) => voice.at)
        .toSorted()
        .at(-1) ?? "",
    rules: [...new Set(requirements.map(({ rule }) => rule))],
    keys: new Set(requirements.filter(({ approved }) => approved !== null).map(({ key }) => key)),
    uses,
    isToBeClaimed,
  };
}

/** True where a person has agreed to exactly this element of exactly this layer. */
export function isMet(
  grant: ApprovalGrant | undefined,
  layer: LayerIdentity,
  match: ApprovalRequest,
): boolean {
  return grant !== undefined && grant.keys.has(approvalTerms({ layer, match }).key);
}

/** True where people agreed to this: the same tool under another definition is something else. */
export function isGoodFor({ use }: ApprovalGrant, wanted: ApprovedUse): boolean {
  return (
    use.actionType === wanted.actionType &&
    use.server === wanted.server &&
    use.tool === wanted.tool &&
    use.definitionDigest === wanted.definitionDigest
  );
}

/** `input.approval`. */
export function approvalInput({ id, approvedBy, at, rules }: ApprovalGrant) {
  return { id, approved_by: approvedBy, at, rules };
}
