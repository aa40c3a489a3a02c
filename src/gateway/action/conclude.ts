/**
 * What the client gets for what an upstream answered, once the record is settled.
 */
import type { UpstreamFailure, UpstreamReply } from "../../mcp/upstream/upstream-connection.ts";
import type { ActionReply, ActionRequest } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided, Target } from "./action.ts";
import { giveBack } from "./give-back.ts";
import { judgeHiddenQuestion } from "./hidden-question.ts";
import { answerInputs, isInputRequired, passInputs, passResult } from "./input-required.ts";
import { judgeResult } from "./judge-result.ts";
import { presentError } from "./present-error.ts";
import { upstreamFailed } from "./replies.ts";
import { settleReply } from "./settle.ts";

/** An allowed action on its way. */
export interface Allowed {
  readonly request: ActionRequest;
  readonly action: Action;
  readonly target: Target;
  /** What policy said to it, the newest last: an answer in the middle is decided on its own. */
  readonly decided?: readonly Decided[] | undefined;
}

/** A reply for the client, or a retry that the server wants and that is decided first. */
export type ForwardReply =
  | ActionReply
  | { readonly kind: "again"; readonly request: ActionRequest };

/** Settles the record and makes the reply. */
export async function conclude(
  parts: GatewayParts,
  allowed: Allowed,
  answer: UpstreamReply,
): Promise<ForwardReply> {
  const { request, action, target } = allowed;
  const judgedResult = await judgeResult(parts, allowed, answer);
  const outcome = settleReply(parts, action, answer, judgedResult.report);
  if (outcome === "not_forwarded" && !mayHaveLeft(answer)) await giveBack(parts, action);
  if (!judgedResult.ok) return judgedResult.shown;
  const { reply } = judgedResult;
  if (reply.kind === "result") {
    if (!isInputRequired(reply.result)) return passResult(parts, allowed, reply.result);
    const isLegacy = request.ask !== undefined;
    return await (isLegacy ? answerInputs : passInputs)(parts, allowed, reply.result);
  }
  if (reply.kind === "error") {
    const judged = await judgeHiddenQuestion(parts, allowed, reply.error);
    return judged ?? presentError(reply.error);
  }
  if (reply.code === "cancelled") return { kind: "cancelled" };
  const name = `server "${target.server.id}"`;
  const told = reply.message.startsWith(name) ? reply.message : `${name}: ${reply.message}`;
  const ran = reply.wasSent === true ? turnedAway : whatRan(reply.code);
  const message = `${told}; ${ran} (decision ${action.decisionId})`;
  return upstreamFailed(action, reply.code, message);
}

/** A server that turns a request away has seen it. */
function mayHaveLeft(answer: UpstreamReply): boolean {
  return answer.kind !== "failed" || answer.wasSent === true;
}

const turnedAway = "the server has seen the request, so do not repeat it blindly";

/** Says what an agent has to know before it tries again. */
function whatRan(code: UpstreamFailure): string {
  switch (code) {
    case "upstream_busy":
    case "upstream_unavailable":
    case "upstream_unauthorized":
      return "the request was not sent";
    case "upstream_oversize":
      return "the request ran, so do not repeat it blindly";
    case "upstream_lost":
    case "upstream_timeout":
    case "upstream_garbage":
    case "cancelled":
      return "the request may have run, so do not repeat it blindly";
  }
}
