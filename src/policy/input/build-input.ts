/**
 * Builds the input document of DESIGN's version 1 as JSON text. Arguments go in as the text that was
 * judged strictly at the wire and that the upstream will receive; the rest is written here.
 */
import type {
  AgentIdentity,
  ClientClaim,
  ConversationContext,
  EnvironmentFacts,
  InputParts,
  ToolAction,
  UserIdentity,
} from "../../contract/policy-input.ts";
import type { Classification } from "./classify.ts";

/** Who acts and where: the same for every call of one configuration. */
export interface Principal {
  readonly agent: AgentIdentity;
  readonly user: UserIdentity;
  readonly environment: EnvironmentFacts;
}

export interface CallFacts {
  readonly principal: Principal;
  readonly client: ClientClaim;
  readonly action: ToolAction;
  readonly classification: Classification;
  readonly context: ConversationContext;
  /** The part of the conversation that belongs to the action's own server. */
  readonly serverContext: ConversationContext;
  readonly timeMs: number;
}

/** The input of one call, in the parts that the engine joins. */
export function buildCallInput(facts: CallFacts): InputParts {
  const { principal, action } = facts;
  const agent = { ...principal.agent, client: facts.client };
  const environment = { ...principal.environment, time: new Date(facts.timeMs).toISOString() };
  return {
    open: `${openDocument("call", agent, principal)},"action":{${actionMembers(action)},"args":${action.argsJson}`,
    dataClasses: facts.classification.dataClasses,
    labels: facts.classification.labels,
    contextJson: JSON.stringify(facts.context),
    serverContextJson: JSON.stringify(facts.serverContext),
    close: `,"environment":${JSON.stringify(environment)},"usage":{},"approval":null`,
  };
}

/**
 * The whole list-phase input of one tool: no arguments, no client, no conversation, no time, so
 * that a list and a call come to the same verdict about what the agent may see.
 */
export function buildListInput(
  principal: Principal,
  action: Omit<ToolAction, "argsJson">,
  classification: Classification,
): string {
  const classes = `"data_classes_referenced":${JSON.stringify(classification.dataClasses)},"labels":${JSON.stringify(classification.labels)}`;
  const environment = JSON.stringify(principal.environment);
  return `${openDocument("list", principal.agent, principal)},"action":{${actionMembers(action)},${classes}},"environment":${environment}}`;
}

function openDocument(phase: "list" | "call", agent: object, principal: Principal): string {
  return `{"version":1,"phase":"${phase}","agent":${JSON.stringify(agent)},"user":${JSON.stringify(principal.user)}`;
}

/** Members of `action` that both phases have, without braces. */
function actionMembers(action: Omit<ToolAction, "argsJson">): string {
  const members = {
    type: "tool_call",
    direction: "to_server",
    server: action.server,
    tool: action.tool,
    annotations: action.annotations,
    definition_digest: action.definition_digest,
    destination: action.destination,
  };
  return JSON.stringify(members).slice(1, -1);
}
