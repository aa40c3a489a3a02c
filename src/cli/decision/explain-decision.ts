/**
 * The sentences of `decision explain`: what was asked, what came of it, which rule of which layer said
 * so in the words of its own METADATA, what counted beside, and what would have to change.
 */
import type { ApprovalStepTold } from "../../decision/store/approval-steps.ts";
import { isGatewayCode } from "../../contract/layer.ts";
import { gatewaySentences } from "../../policy/combine/gateway-sentences.ts";
import type {
  ExplainedLayer,
  ExplainedMatch,
  ExplainedRecord,
  ExplainedWaiver,
} from "./explained-record.ts";

export interface Explained extends ExplainedRecord {
  readonly decision_id: string;
  readonly outcome: string;
  readonly steps: readonly ApprovalStepTold[];
}

/** One sentence or item a line; items are indented. */
export function explainDecision(decision: Explained): readonly string[] {
  return [
    ...headline(decision),
    ...whyNot(decision),
    ...whyAllowed(decision),
    ...failedLayers(decision),
    ...waiversOf(decision),
    ...peopleOf(decision),
    ...budgetOf(decision),
    ...whatWouldChange(decision),
  ];
}

function headline(decision: Explained): readonly string[] {
  const { agent, user, server, tool, exposed_name: asked, action_type: type } = decision;
  const what = `${(type ?? "request").replaceAll("_", " ")} ${tool ?? asked ?? "of nothing known"}`;
  const of = server ? ` of ${server}` : "";
  return [
    `Decision ${decision.decision_id} at ${decision.timestamp ?? "an unknown time"}: ${verdictOf(decision)}.`,
    `Agent ${agent ?? "unknown"}, for ${user ?? "nobody known"}, asked for the ${what}${of}.`,
    outcomeSentence(decision.outcome),
  ];
}

function verdictOf({ result }: Explained): string {
  if (!result.enforced && result.effect !== "allow") {
    return "let through, because the layer that refused it is only observed";
  }
  switch (result.effect) {
    case "allow":
      return "allowed";
    case "hold":
      return "held until people agree";
    default:
      return "denied";
  }
}

const outcomeSentences: Readonly<Record<string, string>> = {
  completed: "The call ran and its result went to the agent.",
  completed_withheld: "The call ran, and its result was withheld from the agent.",
  tool_error: "The call ran and the server answered with an error.",
  cancelled: "The call was cancelled; it may have run.",
  upstream_lost: "The server was lost during the call; it may have run.",
  not_forwarded: "Nothing was sent to the server.",
  pending: "The call has not ended yet.",
  unknown: "Nobody can say whether the call ran.",
};

function outcomeSentence(outcome: string): string {
  return outcomeSentences[outcome] ?? `Outcome: ${outcome}.`;
}

/** Rules of layers in their own words; reasons that no layer gave are the gateway's. */
function whyNot({ result, layers }: Explained): readonly string[] {
  if (result.effect === "allow") return [];
  const refusing = layers.flatMap((layer) => rulesOf(layer, "deny", "refused it"));
  const holding = layers.flatMap((layer) =>
    rulesOf(layer, "require_approval", "wants people asked"),
  );
  const own = (result.reasons ?? []).flatMap((code) => {
    if (!isGatewayCode(code)) return [];
    const sentence = Object.entries(gatewaySentences).find(([known]) => known === code)?.[1];
    return [`The gateway itself: ${sentence ?? code} [${code}]`];
  });
  return [...own, ...refusing, ...holding];
}

function rulesOf(
  layer: ExplainedLayer,
  key: "deny" | "require_approval",
  did: string,
): readonly string[] {
  const found = layer[key] ?? [];
  if (found.length === 0) return [];
  return [`The layer ${layerName(layer)} ${did}:`, ...found.flatMap(describeMatch)];
}

function describeMatch(match: ExplainedMatch): readonly string[] {
  const { rule, code, title, description, message, approvers } = match;
  const shownCode = code && code !== rule ? ` [${code}]` : "";
  return [
    `  ${rule}${shownCode}${title ? `: ${title}` : ""}`,
    ...(description ? [`    ${description.replaceAll(/\s+/g, " ").trim()}`] : []),
    ...(message && message !== title ? [`    Of this call it said: ${message}`] : []),
    ...(approvers?.length ? [`    May agree: ${approvers.join(", ")}`] : []),
  ];
}

function layerName({ name, revision }: ExplainedLayer): string {
  return revision ? `${name} (${revision})` : name;
}

function whyAllowed({ result, layers }: Explained): readonly string[] {
  if (result.effect !== "allow") return [];
  return layers.flatMap((layer) => {
    const found = layer.allow ?? [];
    if (found.length === 0) return [];
    return [`The layer ${layerName(layer)} grants it:`, ...found.flatMap(describeMatch)];
  });
}

function failedLayers({ layers }: Explained): readonly string[] {
  return layers.flatMap((layer) => {
    const { error } = layer;
    if (!error) return [];
    const why = error.message ? `: ${error.message}` : "";
    return [
      `The layer ${layerName(layer)} gave no answer that counts [${error.code ?? "?"}]${why}`,
    ];
  });
}

function waiversOf({ waivers }: Explained): readonly string[] {
  return [
    ...(waivers?.used ?? []).map((one) => `A waiver lifted ${describeWaiver(one)}`),
    ...(waivers?.expired ?? []).map(
      (one) => `A waiver would have lifted, had it not run out, ${describeWaiver(one)}`,
    ),
  ];
}

function describeWaiver(waiver: ExplainedWaiver): string {
  const { bundle, rule, justification, expires, ticket } = waiver;
  const by = ticket ? `${ticket}, ` : "";
  return `${rule ?? "?"} of ${bundle ?? "?"} (${by}until ${expires ?? "?"}): ${justification ?? ""}`;
}

function peopleOf({ steps }: Explained): readonly string[] {
  return steps.map(({ event, by, channel, reason }) => {
    const who = by ? ` by ${by}` : "";
    const where = channel ? ` on ${channel}` : "";
    return `Approval ${event ?? "?"}${who}${where}${reason ? `: ${reason}` : ""}`;
  });
}

function budgetOf({ result }: Explained): readonly string[] {
  const left = result.metadata?.rate_limit_remaining;
  if (typeof left !== "number") return [];
  const resets = result.metadata?.rate_limit_resets_at;
  return [
    `Of the tightest budget ${left} were left after it${resets ? `; more at ${resets}` : ""}.`,
  ];
}

/** In the words of the rules' authors, who know. */
function whatWouldChange({ result, layers }: Explained): readonly string[] {
  if (result.effect === "allow") return [];
  const said = layers.flatMap(({ deny, require_approval: asks }) =>
    [...(deny ?? []), ...(asks ?? [])].flatMap(changesOf),
  );
  const lines = [...new Set(said)];
  return lines.length === 0 ? [] : ["What would have to change:", ...lines];
}

function changesOf(match: ExplainedMatch): readonly string[] {
  const { rule, remediation, alternatives, appeal, owner, overridable } = match;
  return [
    ...(remediation ? [`  ${remediation.replaceAll(/\s+/g, " ").trim()}`] : []),
    ...(alternatives?.length ? [`  Use instead: ${alternatives.join(", ")}`] : []),
    ...(overridable ? [`  A waiver for ${rule} in an overrides layer would lift it.`] : []),
    ...(appeal ? [`  Appeal: ${appeal}`] : []),
    ...(owner ? [`  ${rule} belongs to ${owner}.`] : []),
  ];
}
