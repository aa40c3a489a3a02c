/**
 * An approval as a client is asked for it, where policy accepts that: a form with everything that the
 * person needs, whole, and an answer that only that form can give.
 */
import { isRecord } from "../../contract/json.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { Approval } from "./approval.ts";
import { visibleJson } from "./visible-json.ts";

/** What is longer cannot be shown whole in a form. */
const maxShownCharacters = 16_384;

/** `params` of `elicitation/create`; `undefined` where the arguments are too long to be shown whole. */
export function clientQuestion(approval: Approval, argumentsJson: string): JsonObject | undefined {
  const shown = visibleJson(argumentsJson);
  if (shown.length > maxShownCharacters) return undefined;
  const { id, agent, server, tool, exposed_name: exposedName, requirements } = approval;
  const titles = requirements.map(({ title, rule }) => visibleJson(title ?? rule));
  const lines = [
    `Agent ${quoted(agent)} wants to do something that needs your approval.`,
    `Server: ${quoted(server)}`,
    `Tool: ${quoted(tool ?? exposedName)}`,
    ...titles.map((title) => `Why you are asked: ${title}`),
    "Arguments, whole, with unusual characters as escapes:",
    shown,
    `Approval ${id}, good until ${approval.expires_at} for this one call.`,
  ];
  return {
    message: lines.join("\n"),
    requestedSchema: {
      type: "object",
      properties: {
        decision: {
          type: "string",
          title: "Decision",
          description: "approve lets this one call through",
          enum: ["deny", "approve"],
        },
      },
      required: ["decision"],
    },
  };
}

/** What a client answered; `undefined` where nobody decided. */
export function clientVerdict(answer: unknown): "approve" | "deny" | undefined {
  if (!isRecord(answer)) return undefined;
  const { action, content } = answer;
  if (action === "decline") return "deny";
  if (action !== "accept" || !isRecord(content)) return undefined;
  const { decision } = content;
  return decision === "approve" || decision === "deny" ? decision : undefined;
}

function quoted(name: string): string {
  return visibleJson(JSON.stringify(name));
}
