/**
 * What combining has to know of a recorded action, read out of its input document.
 */
import * as z from "zod";
import { isRecord } from "../contract/json.ts";
import type { ActionType, AgentIdentity } from "../contract/policy-input.ts";
import { actionTypes } from "../contract/policy-input.ts";
import { subjectName } from "../gateway/visibility.ts";
import type { RecordedDecision } from "./recorded-decision.ts";

export interface RecordedAction {
  readonly type: ActionType;
  readonly server: string;
  /** As patterns of ceilings and capabilities name it. */
  readonly tool: string;
}

const nullableText = z.prefault(z.nullable(z.string()), null);

const agentSchema = z.object({
  id: z.string(),
  version: nullableText,
  scope: nullableText,
  owner_team: nullableText,
  model: nullableText,
  parent: nullableText,
  authenticated: z.prefault(z.boolean(), false),
});

/** What was asked for; `undefined` where no such action is known. */
export function actionOf(recorded: RecordedDecision): RecordedAction | undefined {
  const type = actionTypes.find((known) => known === recorded.actionType);
  if (type === undefined) return undefined;
  const { server, tool, exposedName, action: about } = recorded;
  const isQuestion = about.get("direction") === '"to_client"';
  const named = isQuestion
    ? undefined
    : (about.get("prompt") ?? about.get("uri") ?? about.get("uri_template"));
  const name: unknown = tool ?? (named === undefined ? exposedName : JSON.parse(named));
  return { type, server, tool: subjectName(type, typeof name === "string" ? name : "") };
}

/**
 * Who acted.
 *
 * @throws ZodError
 */
export function agentOf({ input }: RecordedDecision): AgentIdentity {
  return agentSchema.parse(JSON.parse(input.get("agent") ?? "{}"));
}

/** Rules whose requests for approval people had agreed to. */
export function approvedRules({ input }: RecordedDecision): readonly string[] {
  const approval: unknown = JSON.parse(input.get("approval") ?? "null");
  const rules = isRecord(approval) ? approval["rules"] : [];
  return Array.isArray(rules) ? rules.filter((rule) => typeof rule === "string") : [];
}
