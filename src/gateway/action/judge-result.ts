/**
 * Step 8: what an upstream answered, before the client gets it. In this order: hidden characters are
 * taken away, so that what is judged is what is read; what the detectors find in it labels the
 * conversation; the layers that have rules about results are asked; what they say that it brings
 * labels the conversation too; obligations are carried out. Whatever fails withholds the answer, and
 * says that the call ran. Where there is nothing to do, the answer passes as it came.
 */
import { messageOf } from "../../errors.ts";
import type { UpstreamReply } from "../../mcp/upstream/upstream-connection.ts";
import type { CombinedDecision } from "../../policy/combine.ts";
import { gatewayDenial } from "../../policy/combine.ts";
import type { ChangingDuty, Duty } from "../../policy/enforcement/obligations/obligation.ts";
import type { ActionReply } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import { textRulesOf } from "../texts/clean-members.ts";
import type { CleanedReply } from "../texts/clean-reply.ts";
import { cleanReply } from "../texts/clean-reply.ts";
import { truncatingDuties } from "../texts/truncating-duties.ts";
import { bringResult } from "./bring-result.ts";
import { checkStructure } from "./check-structure.ts";
import type { Allowed } from "./conclude.ts";
import { decideResult } from "./decide-result.ts";
import { logUnknown } from "./log-unknown.ts";
import { isChanging, openDuties } from "./open-duties.ts";
import { obligeReply } from "./oblige-reply.ts";
import { upstreamFailed, withheldReply } from "./replies.ts";
import type { ResultReport } from "./result-report.ts";
import { tellChannels } from "./tell-channels.ts";

/** An answer that came: no failure of the way to its server. */
export type AnsweredReply = Exclude<UpstreamReply, { readonly kind: "failed" }>;

/** The answer to pass on, or what the client gets instead; with what the record says of it. */
export type JudgedResult =
  | { readonly ok: true; readonly reply: UpstreamReply; readonly report: ResultReport }
  | { readonly ok: false; readonly shown: ActionReply; readonly report: ResultReport };

/** Never throws. */
export async function judgeResult(
  parts: GatewayParts,
  allowed: Allowed,
  reply: UpstreamReply,
): Promise<JudgedResult> {
  const verdicts = (allowed.decided ?? []).flatMap((decided) => decided.verdicts);
  const duties = (await openDuties(parts.config, verdicts)).dutiesOf(verdicts);
  const judged = await judgeAnswer(parts, allowed, reply, duties);
  const told = tellChannels(parts, allowed, judged.duties);
  const { report } = judged;
  if (told.length === 0) return judged;
  return {
    ...judged,
    report: { ...report, obligations: [...(report.obligations ?? []), ...told] },
  };
}

type Judged = JudgedResult & {
  /** Of the call, and of its result. */
  readonly duties: readonly Duty[];
};

async function judgeAnswer(
  parts: GatewayParts,
  allowed: Allowed,
  reply: UpstreamReply,
  ofCall: readonly Duty[],
): Promise<Judged> {
  if (reply.kind === "failed") return { ...passed(reply), duties: ofCall };
  const { server } = allowed.target;
  const cleaned = await clean(parts, allowed, reply);
  if (!cleaned.ok) {
    const { code, message } = cleaned;
    parts.log.warn(
      { server: server.id, decision_id: allowed.action.decisionId, reason: code },
      "a result that breaks the rules for texts is withheld",
    );
    const denial = gatewayDenial(allowed.action.decisionId, code, message);
    return { ...withheld(allowed, denial), duties: ofCall };
  }
  const judged = await judgeCleaned(parts, allowed, cleaned.reply, ofCall);
  if (cleaned.done.length === 0) return judged;
  const { report } = judged;
  const obligations = [...cleaned.done, ...(report.obligations ?? [])];
  return { ...judged, report: { ...report, obligations } };
}

/** As the operator wants the texts of this server. */
function clean(
  parts: GatewayParts,
  { target }: Allowed,
  reply: AnsweredReply,
): CleanedReply | Promise<CleanedReply> {
  const cleaned = cleanReply(textRulesOf(target.server), reply);
  if (!cleaned.ok || cleaned.reply.kind === "error" || reply.kind === "error") return cleaned;
  if (cleaned.reply === reply) return cleaned;
  const structure = checkStructure(parts, target, cleaned.reply.result, reply.result);
  return structure.then((problem) => (problem === undefined ? cleaned : brokenByCleaning));
}

const brokenByCleaning: CleanedReply = {
  ok: false,
  code: "hidden_characters",
  message: "Without them it is not what the tool's output schema says.",
};

async function judgeCleaned(
  parts: GatewayParts,
  allowed: Allowed,
  reply: AnsweredReply,
  ofCall: readonly Duty[],
): Promise<Judged> {
  const { action, target } = allowed;
  if (!(await bringResult(parts, action, target, reply))) {
    return { ...notRemembered(allowed), duties: ofCall };
  }
  const deciding = decideResult(parts, allowed, reply);
  if (deciding === undefined) return await fulfilled(parts, allowed, reply, ofCall);
  const said = await deciding;
  const { verdicts } = said;
  const ofResult = (await openDuties(parts.config, verdicts)).dutiesOf(verdicts);
  const duties = [...ofCall, ...ofResult];
  if (!(await absorb(parts, allowed, said.brings))) {
    return { ...notRemembered(allowed), duties };
  }
  if (!said.combined.answer.allow) {
    await logUnknown(parts, action, said);
    return { ...withheld(allowed, said.combined), duties };
  }
  return await fulfilled(parts, allowed, reply, duties);
}

async function fulfilled(
  parts: GatewayParts,
  allowed: Allowed,
  reply: AnsweredReply,
  duties: readonly Duty[],
): Promise<Judged> {
  const { server } = allowed.target;
  const changing = [...duties.filter(isChanging), ...truncatingDuties(server, reply)];
  if (changing.length === 0) return { ok: true, reply, report: { isShown: true }, duties };
  return { ...(await oblige(parts, allowed, reply, changing)), duties };
}

async function oblige(
  parts: GatewayParts,
  allowed: Allowed,
  reply: AnsweredReply,
  duties: readonly ChangingDuty[],
): Promise<JudgedResult> {
  const { action, target } = allowed;
  const obliged = await obligeReply(parts, target, reply, duties);
  const { done } = obliged;
  if (obliged.ok) {
    return { ok: true, reply: obliged.reply, report: { isShown: true, obligations: done } };
  }
  const { server } = target;
  const about = { server: server.id, decision_id: action.decisionId, problem: obliged.problem };
  parts.log.warn(about, "an obligation could not be carried out; the result is withheld");
  return withheld(allowed, gatewayDenial(action.decisionId, "result_withheld"), done);
}

function passed(reply: UpstreamReply): JudgedResult {
  return { ok: true, reply, report: { isShown: true } };
}

function withheld(
  { action }: Allowed,
  combined: CombinedDecision,
  obligations?: ResultReport["obligations"],
): JudgedResult {
  const { reasons } = combined.answer;
  const report = { isShown: false, reasons, obligations };
  return { ok: false, shown: withheldReply(action, combined), report };
}

function notRemembered({ action, target }: Allowed): JudgedResult {
  const message = `server "${target.server.id}": what its answer brings could not be remembered, so the answer is withheld; the request ran, so do not repeat it blindly (decision ${action.decisionId})`;
  const shown = upstreamFailed(action, "state_unavailable", message);
  return { ok: false, shown, report: { isShown: false, reasons: ["state_unavailable"] } };
}

/** What the layers say that the result brings. */
async function absorb(
  parts: GatewayParts,
  { action, target }: Allowed,
  brings: { readonly dataClasses: readonly string[]; readonly labels: readonly string[] },
): Promise<boolean> {
  try {
    const conversation = parts.conversations.of(action.principal);
    await conversation.absorb(target.server.id, brings, parts.clock.nowMs());
    return true;
  } catch (thrown) {
    parts.log.error({ reason: messageOf(thrown) }, "conversation state not written");
    return false;
  }
}
