/**
 * The result phase: layers that have rules about results are asked about one, in one round trip. It
 * needs no grant; denials, obligations, classes and labels count. A layer that fails refuses.
 */
import type { LayerVerdict } from "../../contract/layer.ts";
import type { CombinedDecision } from "../../policy/combine.ts";
import { combineResult, gatewayDenial } from "../../policy/combine.ts";
import type { JsonMember } from "../../policy/enforcement/obligations/json-tree.ts";
import {
  hasDuplicates,
  printTree,
  readTree,
} from "../../policy/enforcement/obligations/json-tree.ts";
import type { Classification } from "../../policy/input/classify.ts";
import { toResultPhase } from "../../policy/input/build-input.ts";
import type { GatewayParts } from "../parts.ts";
import { isDueTo } from "../canaries/is-due-to.ts";
import type { Action, Target } from "./action.ts";
import type { Allowed } from "./conclude.ts";
import { combineRequest } from "./decide.ts";
import type { AnsweredReply } from "./judge-result.ts";
import { openDuties } from "./open-duties.ts";

/** What the layers say to a result. */
export interface ResultDecision {
  readonly combined: CombinedDecision;
  readonly verdicts: readonly LayerVerdict[];
  readonly brings: Classification;
}

/** `undefined` where no layer has rules about results of this server. */
export function decideResult(
  parts: GatewayParts,
  allowed: Allowed,
  reply: AnsweredReply,
): Promise<ResultDecision> | undefined {
  const isJudged = areResultsJudged(parts, allowed.action, allowed.target);
  return isJudged ? askLayers(parts, allowed, reply) : undefined;
}

async function askLayers(
  parts: GatewayParts,
  { action, target, decided = [] }: Allowed,
  reply: AnsweredReply,
): Promise<ResultDecision> {
  const call = decided.at(-1);
  const resultJson = textOf(reply);
  if (call?.input === undefined || resultJson === undefined) {
    const combined = gatewayDenial(action.decisionId, "result_withheld");
    return { combined, verdicts: [], brings: { dataClasses: [], labels: [] } };
  }
  const { verdicts, dataClasses, labels, canaries } = await parts.engine.decide({
    server: target.server.id,
    unasked: parts.canaries.unasked(action.principal, target.server.id),
    parts: toResultPhase(call.input, call.brings, resultJson),
    timeMs: action.timeMs,
    seed: action.decisionId,
  });
  const duties = await openDuties(parts.config, verdicts);
  const said = combineRequest(parts, action, target, verdicts, duties);
  const combined = combineResult(said);
  parts.canaries.note(action.principal, canaries, (canary) => isDueTo(canary, said, combineResult));
  return { combined, verdicts, brings: { dataClasses, labels } };
}

/** True where what this server answers is put before its layers. */
export function areResultsJudged(
  { engine, canaries }: Pick<GatewayParts, "engine" | "canaries">,
  { principal }: Action,
  { server }: Target,
): boolean {
  return engine.judgesResults(server.id, canaries.unasked(principal, server.id));
}

/** Under what members of a result stand in the input; all others are together under `other`. */
const inputNames: ReadonlyMap<string, string> = new Map([
  ["content", "content"],
  ["structuredContent", "structured_content"],
  ["contents", "contents"],
  ["messages", "messages"],
  ["completion", "completion"],
]);

/** With its numbers as they came. Where a member stands twice, nobody knows which one is meant. */
function textOf(reply: AnsweredReply): string | undefined {
  if (reply.kind === "error") return JSON.stringify({ is_error: true, error: reply.error });
  const node = readTree(reply.result.bytes.toString("utf8"));
  if (node?.kind !== "object" || hasDuplicates(node)) return undefined;
  const isError = reply.result.value["isError"] === true;
  const members = node.members.flatMap(([name, value]): readonly JsonMember[] => {
    const known = inputNames.get(name);
    return known === undefined ? [] : [[known, value]];
  });
  const other = node.members.filter(([name]) => !inputNames.has(name) && name !== "isError");
  return printTree({
    kind: "object",
    members: [
      ["is_error", { kind: "word", text: String(isError) }],
      ...members,
      ["other", { kind: "object", members: other }],
    ],
  });
}
