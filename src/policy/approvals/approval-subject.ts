/**
 * What an approval is good for, made of one held action: the same person and agent, the same tool as
 * it was pinned, the same arguments, the same rules that ask. Anything else is another question.
 */
import { canonicalJson } from "../../contract/canonical-json.ts";
import type { Principal } from "../../contract/principal.ts";
import type { AdmissionRecord } from "../../contract/record.ts";
import { sha256Of } from "../../contract/sha256.ts";
import type { Approval } from "./approval.ts";
import type { ApprovedUse } from "./approval-grant.ts";
import type { ApprovalTerms, AskedApproval } from "./requirement.ts";
import { approvalTerms, shortestSeconds } from "./requirement.ts";

/** One action that policy holds. */
export interface ApprovalSubject extends ApprovedUse {
  readonly principal: Principal;
  /** Exact name of what is used: tool, prompt, URI, task id. */
  readonly name: string;
  readonly exposedName: string;
  /** What the client sent, by member of `input.action`; JSON text. */
  readonly sent: Readonly<Record<string, string>>;
  readonly decisionId: string;
  readonly asked: readonly AskedApproval[];
  /** What is known about what is secret in it. */
  readonly hints?: AdmissionRecord["hints"];
}

export interface ApprovalTimes {
  readonly ttlMs: number;
  readonly maxTtlMs: number;
}

/** Each element once: two layers with the same rule are two. */
export function termsOf({ asked }: ApprovalSubject): readonly ApprovalTerms[] {
  const terms = asked.map(approvalTerms);
  return [...new Map(terms.map((one) => [one.key, one])).values()];
}

/** Digest of all that has to stay the same. Key order and spaces of arguments are not in it. */
export function bindingOf(subject: ApprovalSubject): string {
  const { principal, actionType, server, name, definitionDigest, sent } = subject;
  const keys = termsOf(subject)
    .map(({ key }) => key)
    .toSorted();
  const what = [principal.key, actionType, server, name, definitionDigest, parsed(sent), keys];
  return sha256Of(canonicalJson(what));
}

/** The request as it is kept, waiting. */
export function makeApproval(
  subject: ApprovalSubject,
  times: ApprovalTimes,
  id: string,
  nowMs: number,
): Approval {
  const { principal, sent, asked } = subject;
  const seconds = shortestSeconds(asked);
  const ttlMs = Math.min(seconds === undefined ? times.ttlMs : seconds * 1000, times.maxTtlMs);
  return {
    version: 1,
    id,
    status: "pending",
    tenant: principal.tenant,
    user: principal.user.id,
    os_users: [...(principal.osUsers ?? [])],
    agent: principal.agent.id,
    principal: principal.key,
    binding: bindingOf(subject),
    action_type: subject.actionType,
    server: subject.server,
    tool: subject.tool,
    exposed_name: subject.exposedName,
    definition_digest: subject.definitionDigest,
    args_sha256: sha256Of(canonicalJson(JSON.parse(sent["args"] ?? "{}"))),
    requirements: termsOf(subject).map((terms) => ({
      ...terms,
      approvers: [...terms.approvers],
      channels: [...terms.channels],
      approved: null,
    })),
    decision_id: subject.decisionId,
    requested_at: new Date(nowMs).toISOString(),
    expires_at: new Date(nowMs + ttlMs).toISOString(),
    denied: null,
    uses: 0,
    used_by: null,
    closed_at: null,
  };
}

/** What approvers are shown: the arguments, and whatever else was sent beside them. */
export function shownArguments({ sent }: ApprovalSubject): string {
  const { args, ...others } = sent;
  const members = Object.entries({ ...(args === undefined ? {} : { args }), ...others });
  if (Object.keys(others).length === 0) return args ?? "{}";
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}

function parsed(sent: ApprovalSubject["sent"]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(sent).map(([name, text]): [string, unknown] => [name, JSON.parse(text)]),
  );
}
