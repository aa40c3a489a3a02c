/**
 * A denial on the wire: a normal tool result with `isError`. Its text holds everything a model
 * needs, since models see nothing else; the whole answer is in `_meta`. No `structuredContent`: a
 * client checks that against the tool's output schema and fails the call.
 */
import type { DecisionAnswer } from "../../contract/answer.ts";
import type { RuleMatch } from "../../contract/layer.ts";
import { disclose } from "./disclose.ts";

/** Key of the decision in a result's `_meta`. */
const decisionMetaKey = "io.mcp-gateway/decision";

/** The tool result for an answer that is no allow, as JSON text. `matches` are what decided it. */
export function denialResult(answer: DecisionAnswer, matches: readonly RuleMatch[]): string {
  const disclosed = disclose(answer, matches);
  const text = [headline(disclosed.answer), ...disclosed.sentences, ...advice(disclosed.answer)];
  return JSON.stringify({
    content: [{ type: "text", text: text.join("\n") }],
    isError: true,
    _meta: { [decisionMetaKey]: disclosed.answer },
  });
}

/** The same for methods whose results have no `isError`: message and data of a JSON-RPC error. */
export function denialError(
  answer: DecisionAnswer,
  matches: readonly RuleMatch[],
): { readonly message: string; readonly data: object } {
  const disclosed = disclose(answer, matches);
  const text = [headline(disclosed.answer), ...disclosed.sentences, ...advice(disclosed.answer)];
  return { message: text.join("\n"), data: { [decisionMetaKey]: disclosed.answer } };
}

function headline(answer: DecisionAnswer): string {
  const reasons = answer.reasons.join(", ");
  return answer.effect === "hold"
    ? `Held by policy (${reasons}): a person has to approve this call, and nobody can approve it yet. It was not made.`
    : `Denied by policy (${reasons}). The call was not made.`;
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
