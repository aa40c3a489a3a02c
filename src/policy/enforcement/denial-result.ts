/**
 * A denial on the wire: a normal tool result with `isError`. Its text holds everything a model
 * needs, since models see nothing else; the whole answer is in `_meta`. No `structuredContent`: a
 * client checks that against the tool's output schema and fails the call.
 */
import type { DecisionAnswer } from "../../contract/answer.ts";
import { showHidden } from "../../contract/hidden-characters.ts";
import { isRecord } from "../../contract/json.ts";
import type { RuleMatch } from "../../contract/layer.ts";
import { reservedPrefix } from "../../contract/reserved-key.ts";
import { disclose } from "./disclose.ts";

/** Key of the decision in a result's `_meta`. */
const decisionMetaKey = `${reservedPrefix}decision`;

/** Of the request that a held call waits for. */
const approvalMetaKey = `${reservedPrefix}approval`;

/** How a held call is followed up. */
export interface ApprovalNotice {
  readonly id: string;
  readonly status: "pending" | "expired" | "withdrawn";
  /** Who may decide, as far as the rules that ask say it. */
  readonly approvers: readonly string[];
  /** RFC 3339. */
  readonly expiresAt: string;
}

/** The tool result for an answer that is no allow, as JSON text. `matches` are what decided it. */
export function denialResult(
  answer: DecisionAnswer,
  matches: readonly RuleMatch[],
  notice?: ApprovalNotice,
): string {
  const { text, meta } = present(answer, matches, notice);
  return JSON.stringify({ content: [{ type: "text", text }], isError: true, _meta: meta });
}

/** The same for methods whose results have no `isError`: message and data of a JSON-RPC error. */
export function denialError(
  answer: DecisionAnswer,
  matches: readonly RuleMatch[],
  notice?: ApprovalNotice,
): { readonly message: string; readonly data: object } {
  const { text, meta } = present(answer, matches, notice);
  return { message: text, data: meta };
}

/** The tool result in place of one that is withheld: the call ran, and is not to be repeated. */
export function withheldResult(answer: DecisionAnswer, matches: readonly RuleMatch[]): string {
  const { text, meta } = present(answer, matches, undefined, withheldHeadline);
  return JSON.stringify({ content: [{ type: "text", text }], isError: true, _meta: meta });
}

/** The same for methods whose results have no `isError`. */
export function withheldError(
  answer: DecisionAnswer,
  matches: readonly RuleMatch[],
): { readonly message: string; readonly data: object } {
  const { text, meta } = present(answer, matches, undefined, withheldHeadline);
  return { message: text, data: meta };
}

function present(
  whole: DecisionAnswer,
  matches: readonly RuleMatch[],
  notice: ApprovalNotice | undefined,
  headlineOf: (answer: DecisionAnswer) => string = headline,
) {
  const { answer, sentences } = disclose(whole, matches);
  const followUp = notice === undefined ? [] : howToFollowUp(notice);
  const text = [headlineOf(answer), ...sentences, ...followUp, ...advice(answer)].join("\n");
  const told = notice && {
    id: notice.id,
    status: notice.status,
    approvers: notice.approvers,
    expires_at: notice.expiresAt,
  };
  const meta = { [decisionMetaKey]: answer, ...(told && { [approvalMetaKey]: told }) };
  return { text: showHidden(text, "escape"), meta: showIn(meta) };
}

/** A policy's sentence may quote arguments, and those what a server wrote. */
function showIn(value: object): object {
  const shown: unknown = JSON.parse(JSON.stringify(value), (_, part: unknown) =>
    typeof part === "string" ? showHidden(part, "escape") : part,
  );
  return isRecord(shown) ? shown : {};
}

function howToFollowUp({ id, status, approvers, expiresAt }: ApprovalNotice): readonly string[] {
  switch (status) {
    case "pending": {
      const whom = approvers.length === 0 ? "an approver" : approvers.join(", ");
      return [
        `Approval ${id} waits for ${whom}, until ${expiresAt}.`,
        "Make the same call with the same arguments again later: it runs once it is approved, and changed arguments ask anew.",
      ];
    }
    case "expired":
      return [`Approval ${id} was not given in time. The same call asks again.`];
    case "withdrawn":
      return [`Approval ${id} was withdrawn. The same call asks again.`];
  }
}

function headline(answer: DecisionAnswer): string {
  const reasons = answer.reasons.join(", ");
  return answer.effect === "hold"
    ? `Held by policy (${reasons}): a person has to approve this call. It was not made.`
    : `Denied by policy (${reasons}). The call was not made.`;
}

function withheldHeadline({ reasons }: DecisionAnswer): string {
  return `Withheld by policy (${reasons.join(", ")}). The call was made and has ended (completed_withheld): do not make it again. Its result is not shown.`;
}

function advice(answer: DecisionAnswer): readonly string[] {
  const { alternatives, appeal_path: appeal, decision_id: id } = answer.metadata;
  return [
    ...(answer.remediation === null ? [] : [`What would help: ${answer.remediation}`]),
    ...(alternatives.length === 0 ? [] : [`You can use instead: ${alternatives.join(", ")}`]),
    ...(appeal === null ? [] : [`Appeal: ${appeal}`]),
    `Decision: ${id}`,
  ];
}
