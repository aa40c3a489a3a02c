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
  /** What people agreed to before, where policy then asked for more: the request runs on both. */
  readonly beside?: ApprovalGrant | undefined;
}

/** A grant and all that stand beside it, the newest first. */
export function grantsOf(grant: ApprovalGrant | undefined): readonly ApprovalGrant[] {
  return grant === undefined ? [] : [grant, ...grantsOf(grant.beside)];
}

/** One grant of several, the newest first; `undefined` of none. */
export function joinGrants(grants: readonly ApprovalGrant[]): ApprovalGrant | undefined {
  return grants.reduceRight<ApprovalGrant | undefined>(
    (beside, grant) => ({ ...grant, beside }),
    undefined,
  );
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
  const grants = grantsOf(grant);
  if (grants.length === 0) return false;
  const { key } = approvalTerms({ layer, match });
  return grants.some(({ keys }) => keys.has(key));
}

/** True where people agreed to this: the same tool under another definition is something else. */
export function isGoodFor(grant: ApprovalGrant, wanted: ApprovedUse): boolean {
  return grantsOf(grant).every(
    ({ use }) =>
      use.actionType === wanted.actionType &&
      use.server === wanted.server &&
      use.tool === wanted.tool &&
      use.definitionDigest === wanted.definitionDigest,
  );
}

/** `input.approval`: `id` and `at` of the newest, names and rules of all. */
export function approvalInput(grant: ApprovalGrant) {
  const grants = grantsOf(grant);
  const { id, at } = grant;
  const approvedBy = new Set(grants.flatMap((one) => one.approvedBy));
  const rules = new Set(grants.flatMap((one) => one.rules));
  return { id, approved_by: [...approvedBy], at, rules: [...rules] };
}
