/**
 * Asks the person at the client, where the policy of the organisation accepts the client as a channel
 * and the client can show a form. A legacy client is asked while its call waits; a modern one gets
 * the question in place of a result and comes back with the answer.
 */
import { isJsonObject } from "../../contract/json.ts";
import type { Principal } from "../../contract/principal.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { Approval } from "../../policy/approvals/approval.ts";
import { mayRule } from "../../policy/approvals/approval-changes.ts";
import { clientQuestion, clientVerdict } from "../../policy/approvals/client-question.ts";
import type { ActionReply, ActionRequest } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { SealBinding } from "../seal.ts";
import { heldUntil } from "./held-calls.ts";
import { isDeclared } from "./question.ts";

const method = "elicitation/create";
const answerKey = "approval";

/** True where this client's person may decide, and the client can ask them. */
export function mayAskClient({ client }: ActionRequest, approval: Approval): boolean {
  const approver = approverOf(client.principal);
  return (
    isDeclared(client.capabilities, method) && mayRule(approval, { approver, channel: "client" })
  );
}

/** Asks a legacy client and takes what it answers; never rejects. */
export async function askApprover(
  parts: GatewayParts,
  { client, ask }: ActionRequest,
  approval: Approval,
  argumentsJson: string,
  signal: AbortSignal,
): Promise<void> {
  const params = clientQuestion(approval, argumentsJson);
  if (ask === undefined || params === undefined) return;
  const reply = await ask({ method, paramsJson: JSON.stringify(params), signal });
  if (reply.kind === "error") return;
  await takeAnswer(parts, client.principal, approval.id, JSON.parse(reply.resultJson));
}

/** The question for a modern client, in place of a result; `undefined` where it cannot be put so. */
export function passApprovalQuestion(
  parts: GatewayParts,
  request: ActionRequest,
  approval: Approval,
  argumentsJson: string,
): ActionReply | undefined {
  const params = clientQuestion(approval, argumentsJson);
  if (request.ask !== undefined || params === undefined) return undefined;
  const { requestState: state, inputResponsesJson: responses } = request;
  const payload = {
    id: approval.id,
    ...(state === undefined ? {} : { s: state }),
    ...(responses === undefined ? {} : { r: responses }),
  };
  const untilMs = Math.min(heldUntil(parts.clock.nowMs()), Date.parse(approval.expires_at));
  const value = {
    resultType: "input_required",
    inputRequests: { [answerKey]: { method, params } },
    requestState: parts.seal.close(payload, bindingOf(request), untilMs),
  };
  const bytes = Buffer.from(JSON.stringify(value));
  return { kind: "result", origin: "gateway", bytes, value };
}

export interface Arrival {
  /** Without what was said to the gateway alone. */
  readonly request: ActionRequest;
  /** True where the client was asked for this action before. */
  readonly wasAsked: boolean;
}

/** Takes the answer out of a request that brings one; policy and server see the request without it. */
export async function readArrival(parts: GatewayParts, request: ActionRequest): Promise<Arrival> {
  const { requestState, inputResponsesJson, client } = request;
  const payload =
    requestState === undefined
      ? undefined
      : parts.seal.open(requestState, bindingOf(request), parts.clock.nowMs());
  const id = payload?.["id"];
  if (typeof id !== "string") return { request, wasAsked: false };
  const responses: unknown = JSON.parse(inputResponsesJson ?? "{}");
  const answer = isJsonObject(responses) ? responses[answerKey] : undefined;
  await takeAnswer(parts, client.principal, id, answer);
  const [state, before] = [payload?.["s"], payload?.["r"]];
  const rest = {
    requestState: typeof state === "string" ? state : undefined,
    inputResponsesJson: typeof before === "string" ? before : undefined,
  };
  return { request: { ...request, ...rest }, wasAsked: true };
}

async function takeAnswer(
  parts: GatewayParts,
  principal: Principal,
  id: string,
  answer: unknown,
): Promise<void> {
  const verdict = clientVerdict(answer);
  if (verdict === undefined) return;
  try {
    const approvals = await parts.approvals.open();
    const approver = approverOf(principal);
    await approvals.rule(id, { verdict, approver, channel: "client", reason: null });
  } catch (thrown) {
    const found = { approval: id, code: codeOf(thrown), reason: messageOf(thrown) };
    parts.log.info(found, "answer of a client about an approval does not count");
  }
}

/** The client speaks for its user: who that is was verified, that a person answered was not. */
function approverOf({ user }: Principal) {
  return { name: user.id, names: [user.id], groups: user.groups };
}

function bindingOf({ client, subject }: ActionRequest): SealBinding {
  const request = sha256Of(JSON.stringify(subject));
  return { purpose: "approval", principalKey: client.principal.key, request };
}
