/**
 * One recorded decision under the candidate: its layer is asked again, and what it says is combined
 * with what the record has of all other layers, by the function that combines while serving. The same
 * record and candidate come to the same, whenever and wherever.
 */
import type { LayerVerdict } from "../contract/layer.ts";
import { isGatewayCode } from "../contract/layer.ts";
import { isObserved } from "../gateway/policies/is-observed.ts";
import { unaskedLayers } from "../gateway/policies/unasked-layers.ts";
import type { DutyReader } from "../gateway/action/open-duties.ts";
import { approvalTerms } from "../policy/approvals/requirement.ts";
import { combine } from "../policy/combine.ts";
import type { CombineRequest } from "../policy/combine.ts";
import type { Candidate, Replay } from "./candidate.ts";
import { isSame } from "./candidate.ts";
import { answerOf, differenceOf, isSameAnswer } from "./compare-answers.ts";
import { recordedClasses } from "./layer-document.ts";
import type { RecordedAnswer, RecordedDecision, TimedLayer } from "./recorded-decision.ts";
import type { RecordedAction } from "./recorded-facts.ts";
import { actionOf, agentOf, approvedRules } from "./recorded-facts.ts";
import type { NotReplayable } from "./replay-buckets.ts";
import type { ReplayConfig } from "./replay-protocol.ts";
import type { Replayed } from "./replay-tally.ts";

export interface ReplayTools {
  readonly config: ReplayConfig;
  readonly candidate: Candidate;
  /** A bundle that decided before, by its digest; `undefined` where it is not here. */
  readonly baseline: (digest: string) => Candidate | undefined;
  readonly duties: DutyReader;
  /** Of one whole decision. */
  readonly deadlineMs: number;
}

const unchanged: Replayed = { kind: "unchanged" };

/** What becomes of it. */
export function replayDecision(tools: ReplayTools, recorded: RecordedDecision): Replayed {
  const { candidate } = tools;
  const was = recorded.layers.find(
    ({ verdict: { layer } }) => layer.name === candidate.name && layer.canaryOf === undefined,
  );
  const action = actionOf(recorded);
  if (action === undefined) return notReplayable("unreadable");
  if (recorded.layers.length === 0 && !recorded.isList) {
    return notReplayable("refused_before_policy");
  }
  if (recorded.isList) return replayHidden(tools, recorded, action);
  if (was === undefined) {
    return isUnasked(tools, recorded) ? { kind: "not_asked" } : notReplayable("other_layers");
  }
  if (recorded.isMasked && !isVouchedFor(tools, recorded, was)) return notReplayable("masked");
  return hiddenNow(tools, recorded, action) ?? replayCall(tools, recorded, { was, action });
}

interface ReplayedCall {
  readonly was: TimedLayer;
  readonly action: RecordedAction;
}

function replayCall(tools: ReplayTools, recorded: RecordedDecision, call: ReplayedCall): Replayed {
  const { was } = call;
  const replay = tools.candidate.decide(recorded, was.verdict);
  if (!replay.verdict.ok && replay.verdict.code !== failureOf(was.verdict)) {
    return { kind: "changed", bucket: "error", rule: null, reason: replay.verdict.code };
  }
  const isSameClasses = isSame(recordedClasses(recorded), replay.classes);
  if (!isSameClasses && recorded.layers.length > 1) return notReplayable("other_classes");
  if (replay.said !== was.said) {
    const changed = recombine(tools, recorded, call, replay.verdict);
    if (changed.kind !== "unchanged") return changed;
  }
  if (!isSameClasses && recorded.answer().allow) {
    return { kind: "changed", bucket: "labels_only", rule: null, reason: null };
  }
  return isSlower(tools, recorded, call, replay)
    ? { kind: "changed", bucket: "slower", rule: null, reason: null }
    : unchanged;
}

/** Two answers of combining: with what the layer said then, and with what it would say. */
function recombine(
  tools: ReplayTools,
  recorded: RecordedDecision,
  { was, action }: ReplayedCall,
  said: LayerVerdict,
): Replayed {
  const verdicts = recorded.layers.map(({ verdict }) => visible(verdict));
  const given = recorded.answer();
  const combined = answerOf(combine(requestOf(tools, recorded, { was, action }, verdicts)));
  const isGiven = isSameAnswer(combined, given);
  // What the gateway itself refused after policy it would refuse again, unless policy does.
  const isRefused = !isGiven && isRefusal(given) && combined.effect !== "deny";
  if (!isGiven && !isRefused) return notReplayable("other_configuration");
  const layer = was.verdict.layer;
  const nowVerdicts = verdicts.map((verdict) =>
    verdict.layer === layer ? visible({ ...said, layer }) : verdict,
  );
  const would = answerOf(combine(requestOf(tools, recorded, { was, action }, nowVerdicts)));
  const answer = isRefused && (would.allow || would.effect === "hold") ? given : would;
  const change = differenceOf({ answer: given, verdicts }, { answer, verdicts: nowVerdicts });
  return change === undefined ? unchanged : { kind: "changed", ...change };
}

/** The gateway's own word: nothing else is among the reasons. */
function isRefusal({ effect, reasons }: RecordedAnswer): boolean {
  return effect === "deny" && reasons.length > 0 && reasons.every(isGatewayCode);
}

function requestOf(
  { config, duties, candidate }: ReplayTools,
  recorded: RecordedDecision,
  { was, action }: ReplayedCall,
  verdicts: readonly LayerVerdict[],
): CombineRequest {
  const rules = approvedRules(recorded);
  const asked = was.verdict.ok ? was.verdict.output.requireApproval : [];
  const keys = new Set(
    asked.map((match) => approvalTerms({ layer: was.verdict.layer, match }).key),
  );
  return {
    decisionId: recorded.id,
    action,
    scope: agentOf(recorded).scope,
    verdicts,
    nowMs: recorded.timeMs,
    serverCeiling: config.servers.get(recorded.server)?.ceiling,
    // What people agreed to was what was asked then; a candidate that asks otherwise asks anew.
    isApproved: (layer, match) =>
      rules.includes(match.rule) &&
      (layer.name !== candidate.name || keys.has(approvalTerms({ layer, match }).key)),
    canFulfil: (obligation) => duties.problemOf(action.type, obligation) === undefined,
    maxWaivers: config.maxWaivers,
    isObserved: (layer) => isObserved(config, layer, recorded.timeMs),
  };
}

/** Whether something is visible is decided on the list-phase input, and nowhere else. */
function visible(verdict: LayerVerdict): LayerVerdict {
  if (!verdict.ok) return verdict;
  const { parentCapabilities: _, ...output } = verdict.output;
  return { ...verdict, output: { ...output, hide: [], capabilities: undefined } };
}

/** A call that was seen: what the candidate would hide answers like what does not exist. */
function hiddenNow(
  tools: ReplayTools,
  recorded: RecordedDecision,
  action: RecordedAction,
): Replayed | undefined {
  const { candidate } = tools;
  if (recorded.action.get("direction") === '"to_client"') return undefined;
  const sight = candidate.see(recorded);
  if (sight === undefined) return undefined;
  if (!sight.ok) return { kind: "changed", bucket: "error", rule: null, reason: sight.code };
  const was = { verdict: sight, said: "", evalMs: undefined };
  const combined = combine(requestOf(tools, recorded, { was, action }, [sight]));
  if (!combined.hidden) return undefined;
  const given = { answer: recorded.answer(), verdicts: [] };
  const change = differenceOf(given, { answer: answerOf(combined), verdicts: [] });
  return change === undefined ? unchanged : { kind: "changed", ...change };
}

/** What was hidden is asked about on the very document that was judged. */
function replayHidden(
  tools: ReplayTools,
  recorded: RecordedDecision,
  action: RecordedAction,
): Replayed {
  if (recorded.layers.length === 0) return notReplayable("refused_before_policy");
  const { candidate } = tools;
  if (isUnasked(tools, recorded)) return { kind: "not_asked" };
  const others = recorded.layers.filter(({ verdict }) => verdict.layer.name !== candidate.name);
  const sight = candidate.see(recorded);
  const verdicts = [...others.map(({ verdict }) => verdict), ...(sight ? [sight] : [])];
  if (sight?.ok === false) {
    const was = recorded.layers.find(({ verdict }) => verdict.layer.name === candidate.name);
    if (was !== undefined && failureOf(was.verdict) === sight.code) return unchanged;
    return { kind: "changed", bucket: "error", rule: null, reason: sight.code };
  }
  const isUnseen = others.some(({ verdict }) => !verdict.ok && verdict.code !== "no_policy");
  if (isUnseen) return unchanged;
  const was = { verdict: sight ?? emptyVerdict(candidate.name), said: "", evalMs: undefined };
  const combined = combine(requestOf(tools, recorded, { was, action }, verdicts));
  if (!combined.hidden) return notReplayable("was_hidden");
  const given = recorded.answer();
  const would = answerOf(combined);
  if (would.matchedRules.join("\n") === given.matchedRules.join("\n")) return unchanged;
  const [rule = null] = would.matchedRules;
  const [reason = null] = would.reasons;
  return { kind: "changed", bucket: "reason_only", rule, reason };
}

function emptyVerdict(name: string): LayerVerdict {
  const layer = { name, kind: "server", revision: "", digest: "" } as const;
  return { ok: false, layer, code: "no_policy", message: "" };
}

function isUnasked({ config, candidate }: ReplayTools, recorded: RecordedDecision): boolean {
  return unaskedLayers(config, agentOf(recorded), recorded.server).includes(candidate.name);
}

/** The very bundle that decided says the same of what is left of the input. */
function isVouchedFor(
  { baseline }: ReplayTools,
  recorded: RecordedDecision,
  { verdict, said }: TimedLayer,
): boolean {
  return baseline(verdict.layer.digest)?.decide(recorded, verdict).said === said;
}

/** Slow once may be the machine: what is slow is asked again, and the best time counts. */
function isSlower(
  { candidate, deadlineMs }: ReplayTools,
  recorded: RecordedDecision,
  { was }: ReplayedCall,
  replay: Replay,
): boolean {
  const limitMs = deadlineMs / 2;
  if (replay.evalMs <= limitMs || (was.evalMs ?? recorded.policyMs()) > limitMs) return false;
  for (let attempt = 0; attempt < 4; attempt += 1) {
    if (candidate.decide(recorded, was.verdict).evalMs <= limitMs) return false;
  }
  return true;
}

function failureOf(verdict: LayerVerdict): string | undefined {
  return verdict.ok ? undefined : verdict.code;
}

function notReplayable(reason: NotReplayable): Replayed {
  return { kind: "changed", bucket: "not_replayable", rule: null, reason };
}
