/**
 * Held actions for tests of approvals, and somebody who decides about them.
 */
import type { ApprovalRequest, LayerIdentity } from "../../../src/contract/layer.ts";
import { gatewayMatch } from "../../../src/policy/combine/denials.ts";
import type { ApprovalSubject } from "../../../src/policy/approvals/approval-subject.ts";
import { keyedDigest } from "../../../src/gateway/seal.ts";
import { principal } from "../../gateway/open-gateway.ts";

export const workflow: LayerIdentity = {
  name: "workflow",
  kind: "workflow",
  revision: "1",
  digest: "sha256:00",
};

/** One element of `require_approval`. */
export function element(more: Partial<ApprovalRequest> = {}): ApprovalRequest {
  return {
    ...gatewayMatch("approval_required"),
    rule: "workflow.needs_person",
    code: "needs_person",
    title: "A person agrees",
    approvers: [],
    channels: [],
    ttlSeconds: undefined,
    ...more,
  };
}

/** alice's call of `crm/wipe` with these arguments. */
export function subject(args: object, more: Partial<ApprovalSubject> = {}): ApprovalSubject {
  return {
    principal: principal("alice"),
    actionType: "tool_call",
    server: "crm",
    tool: "wipe",
    name: "wipe",
    exposedName: "crm__wipe",
    definitionDigest: "sha256:11",
    sent: { args: JSON.stringify(args) },
    decisionId: "01a2058b-8bd0-72b1-b5a4-1c6b02bbba0f",
    asked: [{ layer: workflow, match: element() }],
    ...more,
  };
}

export function person(name: string, ...groups: string[]) {
  return { name, names: [name], groups };
}

export const ann = {
  verdict: "approve",
  approver: person("ann"),
  channel: "cli",
  reason: null,
} as const;

const key = Buffer.alloc(32, 7);

/** What a gateway hands to its approvals beside a store and a clock. */
export const keptSecret = {
  scrub: (text: string): string => text.replaceAll("hunter2", "[masked]"),
  keyed: keyedDigest(() => key),
};
